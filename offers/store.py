"""One function, one statement: reading offers, decisions, and what is known about households."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from psycopg.rows import class_row, kwargs_row
from psycopg.types.json import Jsonb

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, DecisionId, DeviceId, InstallationId, OfferId
from millpond.kernel.money import Money
from offers.nouns import Decision, Gate, GateName, Offer, OfferState, Outcome, Place, ReasonCode, Subject, Trigger
from offers.triggers.union import needs_by_reason
from offers.verdict import Facts, Thing

_Q = load_queries("offers")


def select_facts(conn: ReadConnection, things: Sequence[Thing], at: datetime) -> list[Facts]:
    """What is known of each thing, in their order: candidates, offers that were made, or parts that are in use."""
    asked = [
        {
            "n": n,
            "customer_id": thing.customer_id,
            "subject_kind": thing.subject.kind,
            "subject_key": thing.subject.key,
            "device_id": thing.subject.device_id,
            "installation_id": thing.subject.installation_id,
            "sku": thing.sku,
        }
        for n, thing in enumerate(things)
    ]
    with conn.cursor(row_factory=class_row(Facts)) as cursor:
        return cursor.execute(_Q["select_facts"], {"things": Jsonb(asked, dumps=orjson.dumps), "at": at}).fetchall()


def lock_offer(conn: WriteConnection, offer_id: str) -> Offer | None:
    """The offer with this id; until the transaction ends nobody else moves it on."""
    conn.execute(_Q["lock_offer"], {"offer_id": offer_id})
    found = _select_offers(conn, [offer_id])
    return found[0] if found else None


def lock_unanswered_offers(conn: WriteConnection, customer_ids: Sequence[CustomerId]) -> list[Offer]:
    """The offers of these customers that nobody has answered, locked until the transaction ends."""
    locked = conn.execute(_Q["lock_unanswered_offers"], {"customer_ids": list(customer_ids)}).fetchall()
    return _select_offers(conn, [row[0] for row in locked])


def select_owned_devices(conn: ReadConnection, offers: Sequence[Offer]) -> set[tuple[CustomerId, DeviceId | None]]:
    """Those of the customers and devices of some offers that belong together now; what is about no device does."""
    about = [offer.subject.device_id for offer in offers if offer.subject.device_id is not None]
    owned = {tuple(row) for row in conn.execute(_Q["select_owned_devices"], {"device_ids": about})}
    return owned | {(offer.customer_id, None) for offer in offers}


def _select_offers(conn: ReadConnection, offer_ids: list[str]) -> list[Offer]:
    with conn.cursor(row_factory=kwargs_row(make_offer)) as cursor:
        return cursor.execute(_Q["select_offers"], {"offer_ids": offer_ids}).fetchall()


def select_offer_counts(conn: ReadConnection) -> dict[OfferState, int]:
    """How many offers are in each state; states without offers are there too, with zero."""
    counts = {OfferState(state): int(count) for state, count in conn.execute(_Q["select_offer_counts"])}
    return {state: counts.get(state, 0) for state in OfferState}


def select_decision(conn: ReadConnection, decision_id: str) -> Decision | None:
    """The decision with this id."""
    found = _select_decisions(conn, decision_id=decision_id)
    return found[0] if found else None


def select_decisions(
    conn: ReadConnection,
    *,
    customer_id: CustomerId | None = None,
    before: tuple[datetime, DecisionId] | None = None,
    limit: int = 50,
) -> list[Decision]:
    """Up to `limit` decisions, newest first, of one customer or all, after `before` (decided_at, decision_id)."""
    return _select_decisions(conn, customer_id=customer_id, before=before, limit=limit)


def _select_decisions(
    conn: ReadConnection,
    *,
    decision_id: str | None = None,
    customer_id: CustomerId | None = None,
    before: tuple[datetime, DecisionId] | None = None,
    limit: int = 1,
) -> list[Decision]:
    before_at, before_id = before or (None, None)
    values = {"decision_id": decision_id, "customer_id": customer_id, "limit": limit}
    with conn.cursor(row_factory=kwargs_row(_decision)) as cursor:
        return cursor.execute(
            _Q["select_decisions"], values | {"before_at": before_at, "before_id": before_id}
        ).fetchall()


def select_customers_to_review(conn: ReadConnection) -> list[CustomerId]:
    """Customers with an open offer that may have lost its point, or that they have said no to what it needs."""
    values = {"needs": needs_by_reason()}
    return [CustomerId(row[0]) for row in conn.execute(_Q["select_customers_to_review"], values)]


def make_offer(
    *,
    subject_kind: str,
    subject_key: str,
    device_id: DeviceId | None,
    installation_id: InstallationId | None,
    reason_code: str,
    state: str,
    list_price_minor: int,
    price_minor: int,
    currency: str,
    **same: Any,
) -> Offer:
    """An offer from the columns of its row, by their names."""
    return Offer(
        subject=Subject(subject_kind, subject_key, device_id, installation_id),
        reason_code=ReasonCode(reason_code),
        state=OfferState(state),
        list_price=Money(list_price_minor, currency),
        price=Money(price_minor, currency),
        **same,
    )


def _decision(
    *,
    trigger: str,
    subject_kind: str,
    subject_key: str,
    device_id: DeviceId | None,
    installation_id: InstallationId | None,
    outcome: str,
    failed_gate: str | None,
    gates: list[dict[str, Any]],
    slate_id: str | None,
    slate_position: int | None,
    offer_id: OfferId | None,
    **same: Any,
) -> Decision:
    return Decision(
        trigger=Trigger(trigger),
        subject=Subject(subject_kind, subject_key, device_id, installation_id),
        outcome=Outcome(outcome),
        failed_gate=GateName(failed_gate) if failed_gate else None,
        gates=tuple(Gate(GateName(gate["gate"]), gate["passed"], gate["why"]) for gate in gates),
        place=Place(slate_id, slate_position) if slate_id and slate_position else None,
        offer_id=offer_id,
        **same,
    )
