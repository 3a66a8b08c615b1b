"""The offers job: every due candidate is decided, and issued or not, in a transaction of its own."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import psycopg

from attribution.bindings import binding_at
from catalogue.store import select_product
from customers.accounts import lock_customer, select_customer
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import LeaseLost, MillpondError
from millpond.kernel.jobs import Claim, held
from offers.candidates import select_candidates
from offers.decide import decide_offer
from offers.issue import issue_offer, record_decision
from offers.life import expire_offers, withdraw_moot_offers
from offers.nouns import Candidate, OfferSummary, Rules
from offers.store import select_customers_to_review, select_facts

_log = logging.getLogger(__name__)


def issue_due_offers(
    conn: WriteConnection,
    at: datetime,
    rules: Rules,
    *,
    claim: Claim | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> OfferSummary:
    """Withdraw and expire what is over, then decide every due candidate; `on_progress` hears (done, of).

    Running it again for the same moment changes nothing. Raises LeaseLost when `claim` was taken over.
    """
    withdrawn = _withdraw_moot(conn, at, claim)
    expired = _expire(conn, at, claim)
    candidates = select_candidates(conn, at, rules)
    tally: Counter[str] = Counter()
    for done, candidate in enumerate(candidates, start=1):
        tally.update(_decide_and_issue(conn, candidate, rules, at, claim))
        if on_progress is not None:
            on_progress(done, len(candidates))
    return OfferSummary(
        candidates=len(candidates),
        issued=tally["issued"],
        credited=tally["credited"],
        not_issued=tally["not_issued"],
        failed=tally["failed"],
        withdrawn=withdrawn,
        expired=expired,
    )


def _decide_and_issue(
    conn: WriteConnection, candidate: Candidate, rules: Rules, at: datetime, claim: Claim | None
) -> list[str]:
    """What to count. A candidate that fails is logged and tried again by the next run; the others go on."""
    try:
        with held(conn, claim):
            return _decide_candidate(conn, candidate, rules, at)
    except LeaseLost:
        raise
    except (MillpondError, psycopg.IntegrityError) as error:
        extra = {"event": "offer_failed", "serial": candidate.serial, "sku": candidate.sku, "error": str(error)}
        _log.warning("An offer could not be decided.", extra=extra)
        return ["failed"]


def _decide_candidate(conn: WriteConnection, candidate: Candidate, rules: Rules, at: datetime) -> list[str]:
    customer = None
    if candidate.customer_id is not None:
        lock_customer(conn, candidate.customer_id)
        customer = select_customer(conn, candidate.customer_id)
    product = select_product(conn, candidate.sku, at=at)
    facts = select_facts(conn, candidate, candidate.customer_id, at)
    verdict = decide_offer(candidate, facts, customer, product, at=at, rules=rules)
    decision_id = record_decision(conn, candidate, product, verdict, at=at)
    if verdict.terms is None or customer is None or product is None:
        return ["not_issued"]
    binding = binding_at(conn, customer.customer_id, at)
    issue_offer(conn, decision_id, candidate, product, verdict.terms, binding, rules, at=at)
    return ["issued", "credited"] if binding else ["issued"]


def _withdraw_moot(conn: WriteConnection, at: datetime, claim: Claim | None) -> int:
    withdrawn = 0
    for customer_id in select_customers_to_review(conn):
        with held(conn, claim):
            lock_customer(conn, customer_id)
            withdrawn += withdraw_moot_offers(conn, customer_id, at=at, actor="job")
    return withdrawn


def _expire(conn: WriteConnection, at: datetime, claim: Claim | None) -> int:
    with held(conn, claim):
        return expire_offers(conn, at)
