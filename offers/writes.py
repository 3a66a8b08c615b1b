"""Every statement that writes a decision, an offer or a step of its life."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import orjson
from psycopg.types.json import Jsonb

from attribution.binding_nouns import Binding
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.db import Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import CustomerId, DecisionId, OfferId, new_id
from offers.causes import Candidate
from offers.nouns import OfferState, Rules, Withdrawal
from offers.ranking import POLICY, PROPENSITY
from offers.reason import Promise, ReasonFacts, keep_facts, keep_promise
from offers.triggers.union import reason_of
from offers.verdict import Ruling

_Q = load_queries("offers")


def record_noes(conn: WriteConnection, noes: Sequence[Ruling], *, at: datetime) -> None:
    """Keep what was decided against. What repeats the last decision about the same thing is counted there.

    It is not counted again for the same moment, so that a run that is done twice leaves what one leaves.
    """
    repeated = _count_repeated(conn, noes, at)
    said_at = at.isoformat()
    new = [_make_decision(no) for n, no in enumerate(noes) if n not in repeated]
    _copy(conn, "copy_decisions", (_decision_row(decision, said_at) for decision in new))


def _count_repeated(conn: WriteConnection, noes: Sequence[Ruling], at: datetime) -> set[int]:
    """The places in `noes` of those that repeat."""
    said = [
        {
            "n": n,
            "customer_id": no.situation.candidate.customer_id,
            "trigger": no.situation.candidate.trigger,
            "subject_kind": no.situation.candidate.subject.kind,
            "subject_key": no.situation.candidate.subject.key,
            "sku": no.situation.candidate.sku,
            "failed_gate": no.verdict.failed_gate,
        }
        for n, no in enumerate(noes)
    ]
    values = {"noes": Jsonb(said, dumps=orjson.dumps), "at": at}
    return {row[0] for row in conn.execute(_Q["count_repeated_noes"], values)} if noes else set()


def issue_offers(
    conn: WriteConnection,
    rulings: Iterable[Ruling],
    bindings: Mapping[CustomerId, Binding],
    rules: Rules,
    *,
    at: datetime,
) -> tuple[list[Ruling], list[Ruling]]:
    """Keep what is decided in favour and issue its offers; returns what was issued, and the noes, which are not kept.

    The rulings may be made one by one while they are asked for: the server meanwhile keeps those before. The schema
    allows one open offer for each thing.
    """
    issued_at = at.isoformat()
    decisions: list[_Decision] = []
    noes: list[Ruling] = []
    _copy(conn, "copy_decisions", _rows_in_favour(rulings, decisions, noes, issued_at))
    _copy(conn, "copy_offers", (_offer_row(decision, bindings, rules, issued_at) for decision in decisions))
    crash_point("after-offer-before-event")
    issued = [decision.ruling for decision in decisions]
    opened = dict.fromkeys(ruling.offer_id for ruling in issued if ruling.offer_id is not None)
    record_events(conn, opened, OfferState.OPEN, at=at, actor="job")
    return issued, noes


def _rows_in_favour(
    rulings: Iterable[Ruling], decisions: list["_Decision"], noes: list[Ruling], at: str
) -> Iterator[tuple[Any, ...]]:
    """The rows of what is decided in favour, which are put into `decisions`; the rest is put into `noes`."""
    for ruling in rulings:
        if ruling.offer_id is None:
            noes.append(ruling)
            continue
        decision = _make_decision(ruling)
        decisions.append(decision)
        yield _decision_row(decision, at)


class _Decision(NamedTuple):
    """A ruling as it is written: under its id, with the facts that a person is told."""

    decision_id: DecisionId
    ruling: Ruling
    candidate: Candidate
    facts: dict[str, Any]


def _make_decision(ruling: Ruling) -> _Decision:
    candidate, product = ruling.situation.candidate, ruling.situation.product
    facts = keep_facts(candidate.sku, ReasonFacts(product.name if product else None, candidate.cause))
    return _Decision(DecisionId(new_id("dec")), ruling, candidate, facts)


def _copy(conn: WriteConnection, query: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """The server takes the rows in while the next ones are made."""
    with conn.cursor() as cursor, cursor.copy(_Q[query]) as copy:
        for row in rows:
            copy.write_row(row)


def _decision_row(decision: _Decision, at: str) -> tuple[Any, ...]:
    """In the order of `copy_decisions`; enums by their values and moments as text, which are the quickest to send."""
    ruling, candidate, subject = decision.ruling, decision.candidate, decision.candidate.subject
    verdict, failed, place = ruling.verdict, ruling.verdict.failed_gate, ruling.place
    return (
        decision.decision_id,
        candidate.customer_id,
        candidate.trigger.value,
        subject.kind,
        subject.key,
        subject.device_id,
        subject.installation_id,
        candidate.sku,
        at,
        at,
        verdict.outcome.value,
        failed.value if failed else None,
        orjson.dumps([decision.facts]).decode(),
        orjson.dumps([{"gate": gate.gate, "passed": gate.passed, "why": gate.why} for gate in verdict.gates]).decode(),
        POLICY,
        ruling.score,
        PROPENSITY if place else None,
        place.slate_id if place else None,
        place.position if place else None,
    )


def _offer_row(decision: _Decision, bindings: Mapping[CustomerId, Binding], rules: Rules, at: str) -> tuple[Any, ...]:
    """In the order of `copy_offers`."""
    candidate, subject, terms = decision.candidate, decision.candidate.subject, decision.ruling.verdict.terms
    assert terms is not None  # It passed all gates.
    assert candidate.customer_id is not None
    binding = bindings.get(candidate.customer_id)
    return (
        decision.ruling.offer_id,
        decision.decision_id,
        candidate.customer_id,
        subject.kind,
        subject.key,
        subject.device_id,
        subject.installation_id,
        candidate.sku,
        reason_of(candidate.trigger).value,
        orjson.dumps(decision.facts | keep_promise(Promise(rules.lead.delivery_days, terms.in_time))).decode(),
        OfferState.OPEN.value,
        terms.list_price.amount_minor,
        terms.price.amount_minor,
        terms.price.currency,
        at,
        *(moment.isoformat() for moment in (terms.reply_by, terms.valid_until)),
        binding.binding_id if binding else None,
        binding.staff_id if binding else None,
        at,
    )


def move_offers(
    conn: WriteConnection, reasons: Mapping[OfferId, Withdrawal | None], state: OfferState, *, at: datetime, actor: str
) -> None:
    """Take one step in the lives of some offers; each has a reason where the step is `withdrawn`, else None.

    Raises Conflict when one of them has taken it already.
    """
    refusals: Refusals = {"offer_event_once": partial(Conflict, f"this offer was already {state}")}
    with refusing(conn, refusals):
        conn.execute(_Q["update_offers_state"], {"offer_ids": list(reasons), "state": state})
        record_events(conn, reasons, state, at=at, actor=actor)


def record_events(
    conn: WriteConnection, reasons: Mapping[OfferId, Withdrawal | None], state: OfferState, *, at: datetime, actor: str
) -> None:
    """Keep one step of the life of each offer; the schema takes each step once, and a reason of a withdrawal only."""
    values = {"offer_ids": list(reasons), "reasons": list(reasons.values()), "state": state, "at": at, "actor": actor}
    conn.execute(_Q["insert_offer_events"], values)


def expire_offers(conn: WriteConnection, at: datetime) -> int:
    """End all offers whose time has passed; how many."""
    return conn.execute(_Q["expire_offers"], {"at": at}).rowcount
