"""One function, one statement: reading offers and decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, DecisionId, OfferId
from millpond.kernel.money import Money
from offers.nouns import Decision, Facts, Gate, Offer, OfferEvent, OfferState, Outcome, ReasonCode, Thing, Trigger

_Q = load_queries("offers")


def select_offer(conn: ReadConnection, offer_id: str) -> Offer | None:
    """The offer with this id."""
    row = conn.execute(_Q["select_offer"], {"offer_id": offer_id}).fetchone()
    return _offer(row) if row else None


def lock_offer(conn: WriteConnection, offer_id: str) -> Offer | None:
    """The offer with this id; until the transaction ends nobody else moves it on."""
    row = conn.execute(_Q["lock_offer"], {"offer_id": offer_id}).fetchone()
    return _offer(row) if row else None


def select_offers(
    conn: ReadConnection,
    *,
    customer_id: CustomerId | None = None,
    states: Sequence[OfferState] | None = None,
    before: tuple[datetime, OfferId] | None = None,
    limit: int = 50,
) -> list[Offer]:
    """Up to `limit` offers, newest first, of one customer or all, that come after `before` (issued_at, offer_id)."""
    before_at, before_id = before or (None, None)
    values = {
        "customer_id": customer_id,
        "states": list(states) if states is not None else None,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return [_offer(row) for row in conn.execute(_Q["select_offers"], values)]


def select_open_offers(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> list[Offer]:
    """The customer's offers that can be accepted at that moment, the most urgent first."""
    return [_offer(row) for row in conn.execute(_Q["select_open_offers"], {"customer_id": customer_id, "at": at})]


def lock_unanswered_offers(conn: WriteConnection, customer_id: CustomerId) -> list[Offer]:
    """The customer's offers that nobody has answered, locked until the transaction ends."""
    rows = conn.execute(_Q["select_unanswered_offers"], {"customer_id": customer_id}).fetchall()
    return [_offer(row) for row in rows]


def select_offer_events(conn: ReadConnection, offer_id: str) -> list[OfferEvent]:
    """The steps of an offer's life, oldest first."""
    rows = conn.execute(_Q["select_offer_events"], {"offer_id": offer_id}).fetchall()
    return [OfferEvent(OfferState(state), at, actor, reason) for state, at, actor, reason in rows]


def select_offer_counts(conn: ReadConnection) -> dict[OfferState, int]:
    """How many offers are in each state; states without offers are there too, with zero."""
    counts = {OfferState(state): int(count) for state, count in conn.execute(_Q["select_offer_counts"])}
    return {state: counts.get(state, 0) for state in OfferState}


def select_decision(conn: ReadConnection, decision_id: str) -> Decision | None:
    """The decision with this id."""
    row = conn.execute(_Q["select_decision"], {"decision_id": decision_id}).fetchone()
    return _decision(row) if row else None


def select_decisions(
    conn: ReadConnection,
    *,
    customer_id: CustomerId | None = None,
    before: tuple[datetime, DecisionId] | None = None,
    limit: int = 50,
) -> list[Decision]:
    """Up to `limit` decisions, newest first, of one customer or all, after `before` (decided_at, decision_id)."""
    before_at, before_id = before or (None, None)
    values = {"customer_id": customer_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    return [_decision(row) for row in conn.execute(_Q["select_decisions"], values)]


def select_facts(conn: ReadConnection, thing: Thing, customer_id: CustomerId | None, at: datetime) -> Facts:
    """What is known about the household: for a candidate, an offer that was made, or a part that is in use."""
    values = {
        "customer_id": customer_id,
        "device_id": thing.device_id,
        "installation_id": thing.installation_id,
        "sku": thing.sku,
        "at": at,
    }
    with conn.cursor(row_factory=class_row(Facts)) as cursor:
        facts = cursor.execute(_Q["select_facts"], values).fetchone()
    assert facts is not None
    return facts


def select_customers_to_review(conn: ReadConnection) -> list[CustomerId]:
    """Customers with an open offer that a replacement, an order or a device since may have made moot."""
    return [CustomerId(row[0]) for row in conn.execute(_Q["select_customers_to_review"])]


def _offer(row: Sequence[Any]) -> Offer:
    currency = row[11]
    return Offer(
        offer_id=row[0],
        decision_id=row[1],
        customer_id=row[2],
        device_id=row[3],
        installation_id=row[4],
        sku=row[5],
        reason_code=ReasonCode(row[6]),
        facts=row[7],
        state=OfferState(row[8]),
        list_price=Money(row[9], currency),
        price=Money(row[10], currency),
        valid_from=row[12],
        reply_by=row[13],
        valid_until=row[14],
        binding_id=row[15],
        credited_to=row[16],
        issued_at=row[17],
    )


def _decision(row: Sequence[Any]) -> Decision:
    return Decision(
        decision_id=row[0],
        customer_id=row[1],
        trigger=Trigger(row[2]),
        device_id=row[3],
        installation_id=row[4],
        sku=row[5],
        decided_at=row[6],
        outcome=Outcome(row[7]),
        failed_gate=row[8],
        candidates=row[9],
        gates=tuple(Gate(**gate) for gate in row[10]),
        offer_id=row[11],
    )
