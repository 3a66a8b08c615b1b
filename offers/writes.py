"""Every statement that writes a decision, an offer or a step of its life."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from attribution.binding_nouns import Binding
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.db import Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import CustomerId, DecisionId, OfferId, new_id
from offers.nouns import Gate, OfferState, Rules, Withdrawal
from offers.ranking import POLICY, PROPENSITY
from offers.reason import Promise, ReasonFacts, keep_facts
from offers.triggers.union import reason_of
from offers.verdict import Ruling, Terms

_Q = load_queries("offers")


def record_noes(conn: WriteConnection, noes: Sequence[Ruling], *, at: datetime) -> None:
    """Keep what was decided against. What repeats the last decision about the same thing is counted there.

    It is not counted again for the same moment, so that a run that is done twice leaves what one leaves.
    """
    repeated = _count_repeated(conn, noes, at)
    _copy(conn, "copy_decisions", (_decision_row(no, at) for n, no in enumerate(noes, start=1) if n not in repeated))


def _count_repeated(conn: WriteConnection, noes: Sequence[Ruling], at: datetime) -> set[int]:
    """The numbers of those that repeat, counted from one."""
    candidates = [no.situation.candidate for no in noes]
    values = {
        "customer_ids": [candidate.customer_id for candidate in candidates],
        "triggers": [candidate.trigger for candidate in candidates],
        "subject_kinds": [candidate.subject.kind for candidate in candidates],
        "subject_keys": [candidate.subject.key for candidate in candidates],
        "skus": [candidate.sku for candidate in candidates],
        "failed_gates": [no.verdict.failed_gate for no in noes],
        "at": at,
    }
    return {row[0] for row in conn.execute(_Q["count_repeated_noes"], values)} if noes else set()


def issue_offers(
    conn: WriteConnection,
    slate: Sequence[Ruling],
    bindings: Mapping[CustomerId, Binding],
    rules: Rules,
    *,
    at: datetime,
) -> None:
    """Keep what was decided in favour, and issue the offers. The schema allows one that is open for each thing."""
    rows = [_decision_row(ruling, at) for ruling in slate]
    _copy(conn, "copy_decisions", rows)
    _copy(
        conn,
        "copy_offers",
        (_offer_row(ruling, DecisionId(row[0]), bindings, rules, at) for ruling, row in zip(slate, rows, strict=True)),
    )
    crash_point("after-offer-before-event")
    opened = dict.fromkeys(ruling.offer_id for ruling in slate if ruling.offer_id is not None)
    record_events(conn, opened, OfferState.OPEN, at=at, actor="job")


def _copy(conn: WriteConnection, query: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with conn.cursor() as cursor, cursor.copy(_Q[query]) as copy:
        for row in rows:
            copy.write_row(row)


def _decision_row(ruling: Ruling, at: datetime) -> tuple[Any, ...]:
    candidate, verdict, place = ruling.situation.candidate, ruling.verdict, ruling.place
    return (
        new_id("dec"),
        candidate.customer_id,
        candidate.trigger,
        candidate.subject.kind,
        candidate.subject.key,
        candidate.subject.device_id,
        candidate.subject.installation_id,
        candidate.sku,
        at,
        at,
        verdict.outcome,
        verdict.failed_gate,
        _to_json([_keep(ruling)]),
        _to_json([_keep_gate(gate) for gate in verdict.gates]),
        POLICY,
        ruling.score,
        PROPENSITY if place else None,
        place.slate_id if place else None,
        place.position if place else None,
    )


def _offer_row(
    ruling: Ruling, decision_id: DecisionId, bindings: Mapping[CustomerId, Binding], rules: Rules, at: datetime
) -> tuple[Any, ...]:
    candidate, terms = ruling.situation.candidate, ruling.verdict.terms
    assert terms is not None  # It passed all gates.
    assert candidate.customer_id is not None
    binding = bindings.get(candidate.customer_id)
    return (
        ruling.offer_id,
        decision_id,
        candidate.customer_id,
        candidate.subject.kind,
        candidate.subject.key,
        candidate.subject.device_id,
        candidate.subject.installation_id,
        candidate.sku,
        reason_of(candidate.trigger),
        _to_json(_keep(ruling, Promise(rules.lead.delivery_days, terms.in_time))),
        OfferState.OPEN,
        *_terms_columns(terms),
        binding.binding_id if binding else None,
        binding.staff_id if binding else None,
        at,
    )


def _terms_columns(terms: Terms) -> tuple[Any, ...]:
    prices = (terms.list_price.amount_minor, terms.price.amount_minor, terms.price.currency)
    return (*prices, terms.valid_from, terms.reply_by, terms.valid_until)


def _keep(ruling: Ruling, promise: Promise | None = None) -> dict[str, Any]:
    candidate, product = ruling.situation.candidate, ruling.situation.product
    return keep_facts(candidate.sku, ReasonFacts(product.name if product else None, candidate.cause, promise))


def _keep_gate(gate: Gate) -> dict[str, Any]:
    return {"gate": gate.gate, "passed": gate.passed, "why": gate.why}


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


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
