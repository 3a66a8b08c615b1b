"""The offers job: household by household, every due candidate is decided, and issued or not; a transaction for many."""

import gc
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg

from attribution.bindings import bindings_at
from catalogue.store import select_products_of
from customers.accounts import lock_customers
from customers.consent import consents_in_force
from customers.nouns import Customer
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import LeaseLost, MillpondError
from millpond.kernel.ids import CustomerId
from millpond.kernel.jobs import Claim, held
from offers.causes import Candidate
from offers.life import withdraw_moot_offers
from offers.nouns import Household, OfferSummary, Rules
from offers.slate import decide_household
from offers.store import select_customers_to_review, select_facts
from offers.triggers.union import select_candidates, select_households
from offers.verdict import Situation, Thing
from offers.writes import expire_offers, issue_offers, record_noes

_LOG = logging.getLogger(__name__)
# So many households share a transaction: enough that statements cost little, and nobody waits long for a lock.
CHUNK = 500


def issue_due_offers(
    conn: WriteConnection,
    at: datetime,
    rules: Rules,
    *,
    claim: Claim | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> OfferSummary:
    """Withdraw and expire what is over, then decide every due candidate; `on_progress` is called with (done, of).

    Running it again for the same moment changes nothing. Raises LeaseLost when `claim` was taken over.
    """
    withdrawn = _withdraw_moot(conn, at, claim)
    with held(conn, claim):
        expired = expire_offers(conn, at)
    households = select_households(conn, at, rules)
    of, tally = sum(household.candidates for household in households), Counter[str]()
    for some in _chunks(households):
        tally += _decide_or_try_each(conn, some, rules, at, claim)
        tally["done"] += sum(household.candidates for household in some)
        if on_progress is not None:
            on_progress(tally["done"], of)
    return OfferSummary(
        candidates=tally["issued"] + tally["not_issued"] + tally["failed"],
        issued=tally["issued"],
        credited=tally["credited"],
        not_issued=tally["not_issued"],
        failed=tally["failed"],
        withdrawn=withdrawn,
        expired=expired,
    )


def _chunks(households: Sequence[Household]) -> Iterator[Sequence[Household]]:
    return (households[first : first + CHUNK] for first in range(0, len(households), CHUNK))


def _decide_or_try_each(
    conn: WriteConnection, households: Sequence[Household], rules: Rules, at: datetime, claim: Claim | None
) -> Counter[str]:
    """What to count. Where deciding all of them fails, each is decided alone.

    A household that fails alone is logged and tried again by the next run; the others go on.
    """
    try:
        with held(conn, claim):
            with _without_cycle_collector():
                return _decide_together(conn, households, rules, at)
    except (LeaseLost, psycopg.OperationalError):
        raise
    except (MillpondError, psycopg.Error, LookupError, ValueError) as error:
        if len(households) > 1:
            each = [_decide_or_try_each(conn, [household], rules, at, claim) for household in households]
            return sum(each, Counter[str]())
        return _tell_failure(households[0], error)


@contextmanager
def _without_cycle_collector() -> Iterator[None]:
    """What a chunk makes has no cycles, and is so much that looking for some takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _tell_failure(household: Household, error: Exception) -> Counter[str]:
    extra = {"event": "offer_failed", "customer_id": household.customer_id, "device_id": household.device_id}
    _LOG.warning("A household's offers could not be decided.", extra=extra | {"error": str(error)})
    return Counter(failed=household.candidates)


def _decide_together(
    conn: WriteConnection, households: Sequence[Household], rules: Rules, at: datetime
) -> Counter[str]:
    """Facts are read behind the locks of all customers, so that nobody is sold or offered anything meanwhile."""
    customers = lock_customers(conn, [h.customer_id for h in households if h.customer_id is not None])
    candidates = select_candidates(conn, households, at, rules)
    situations = _find_situations(conn, candidates, customers, at)
    bindings = bindings_at(conn, customers, at)
    rulings = (
        ruling for of_one in _by_household(situations) for ruling in decide_household(of_one, at=at, rules=rules)
    )
    issued, noes = issue_offers(conn, rulings, bindings, rules, at=at)
    record_noes(conn, noes, at=at)
    credited = sum(ruling.situation.candidate.customer_id in bindings for ruling in issued)
    return Counter(issued=len(issued), credited=credited, not_issued=len(noes))


def _find_situations(
    conn: ReadConnection, candidates: Sequence[Candidate], customers: dict[CustomerId, Customer], at: datetime
) -> list[Situation]:
    things = [Thing(candidate.customer_id, candidate.subject, candidate.sku) for candidate in candidates]
    products = select_products_of(conn, {candidate.sku for candidate in candidates}, at=at)
    consents = consents_in_force(conn, customers, at)
    return [
        Situation(
            candidate,
            facts,
            customers.get(candidate.customer_id) if candidate.customer_id else None,
            consents.get(candidate.customer_id, frozenset()) if candidate.customer_id else frozenset(),
            products.get(candidate.sku),
        )
        for candidate, facts in zip(candidates, select_facts(conn, things, at), strict=True)
    ]


def _by_household(situations: Sequence[Situation]) -> Iterator[list[Situation]]:
    """Those of one customer together; what nobody owns is a household for each device."""
    households = defaultdict(list)
    for situation in situations:
        candidate = situation.candidate
        households[candidate.customer_id or candidate.subject.device_id].append(situation)
    return iter(households.values())


def _withdraw_moot(conn: WriteConnection, at: datetime, claim: Claim | None) -> int:
    withdrawn, customers = 0, select_customers_to_review(conn)
    for first in range(0, len(customers), CHUNK):
        with held(conn, claim):
            some = list(lock_customers(conn, customers[first : first + CHUNK]))
            withdrawn += withdraw_moot_offers(conn, some, at=at, actor="job")
    return withdrawn
