"""Commission that is not released unseen: the seller's own, and what is beyond a ceiling, until an operator has looked.

A sale is never refused for it, since a customer stands at the till: it is credited as ever, and the commission stays
pending. An approval lets the next release have it; a rejection takes it back by an entry of its own.
"""

from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import kwargs_row

from attribution.hold_nouns import Ceilings, Hold, HoldDecision, HoldReason
from attribution.ledger import move, post_entry, select_pending_of_order
from attribution.ledger_nouns import AccountKind, EntryKind
from attribution.nouns import Order
from attribution.order_rows import lock_order
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import StaffId
from millpond.kernel.money import Money

_Q = load_queries("attribution")
# A day of 24 hours before a sale: the same in every time zone, and no midnight at which it begins anew.
_DAY = timedelta(days=1)


def hold_when_due(conn: WriteConnection, order: Order, ceilings: Ceilings) -> HoldReason | None:
    """Hold the commission of an order just placed if somebody has to look at it; why, in the caller's transaction.

    The person credited is locked, so that two sales at once cannot both find the day's ceiling far away.
    """
    if order.credited_to is None:
        return None
    conn.execute(_Q["lock_staff"], {"staff_id": order.credited_to})
    reason = _find_reason(conn, order, order.credited_to, ceilings)
    if reason is not None:
        conn.execute(_Q["insert_hold"], {"order_id": order.order_id, "reason": reason, "at": order.placed_at})
    return reason


def _find_reason(conn: ReadConnection, order: Order, staff_id: StaffId, ceilings: Ceilings) -> HoldReason | None:
    if order.sold_by is not None and _are_one_person(conn, order.sold_by, staff_id):
        return HoldReason.SELF_CREDITED
    if order.amount.amount_minor > ceilings.order_minor:
        return HoldReason.ORDER_CEILING
    values = {"staff_id": staff_id, "currency": order.amount.currency, "since": order.placed_at - _DAY}
    # The order itself is among what was credited: it is written before it is looked at.
    [(day_minor,)] = conn.execute(_Q["select_credited_since"], values)
    return HoldReason.DAY_CEILING if day_minor > ceilings.day_minor else None


def _are_one_person(conn: ReadConnection, one: StaffId, other: StaffId) -> bool:
    """Somebody may be registered twice, in two shops say: then both have the person's one customer account."""
    return conn.execute(_Q["select_one_person"], {"one": one, "other": other}).fetchone() is not None


def approve_hold(conn: WriteConnection, order_id: str, *, actor: str, at: datetime, note: str | None = None) -> Hold:
    """Let the commission of the order be released when its time has come.

    Raises NotFound (nothing is held of that order), Conflict (decided before).
    """
    with conn.transaction():
        _decide(conn, order_id, HoldDecision.APPROVED, actor=actor, at=at, note=note)
        return _find_hold(conn, order_id)


def reject_hold(conn: WriteConnection, order_id: str, *, actor: str, at: datetime, note: str | None = None) -> Hold:
    """Take back what the order still has pending, by an entry of its own; the sale stands.

    Raises NotFound (nothing is held of that order), Conflict (decided before).
    """
    with conn.transaction():
        order = _decide(conn, order_id, HoldDecision.REJECTED, actor=actor, at=at, note=note)
        # Nothing of a held order was released, so all that refunds have left of it is still pending.
        pending = select_pending_of_order(conn, order.order_id, order.amount.currency)
        if order.credited_to is not None and pending.amount_minor > 0:
            back = move((AccountKind.PENDING, order.credited_to), (AccountKind.EXPENSE, order.credited_to), pending)
            post_entry(conn, EntryKind.REJECTED, back, at=at, order_id=order.order_id)
        return _find_hold(conn, order_id)


def _decide(
    conn: WriteConnection, order_id: str, decision: HoldDecision, *, actor: str, at: datetime, note: str | None
) -> Order:
    """Keep the decision, once; the order is locked against refunds and release until the transaction ends."""
    order = lock_order(conn, order_id)
    if order is None:
        raise NotFound(f"nothing is held of order {order_id[:80]}")
    values = {"order_id": order_id, "decision": decision, "actor": actor, "at": at, "note": note}
    if conn.execute(_Q["decide_hold"], values).fetchone() is None:
        held = _find_hold(conn, order_id)
        raise Conflict(f"the commission of this order was already {held.decision}")
    return order


def _find_hold(conn: ReadConnection, order_id: str) -> Hold:
    found = select_hold(conn, order_id)
    if found is None:
        raise NotFound(f"nothing is held of order {order_id[:80]}")
    return found


def select_hold(conn: ReadConnection, order_id: str) -> Hold | None:
    """What is or was held of an order."""
    with conn.cursor(row_factory=kwargs_row(_hold)) as cursor:
        return cursor.execute(_Q["select_hold"], {"order_id": order_id}).fetchone()


def select_holds(
    conn: ReadConnection, *, waiting: bool = True, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Hold]:
    """Up to `limit` holds, oldest first, that come after `after` (held_at, order_id): those that wait, or all."""
    after_at, after_id = after or (None, None)
    values = {"waiting": waiting, "after_at": after_at, "after_id": after_id, "limit": limit}
    with conn.cursor(row_factory=kwargs_row(_hold)) as cursor:
        return cursor.execute(_Q["select_holds"], values).fetchall()


def count_waiting_holds(conn: ReadConnection) -> int:
    """How many wait for an operator."""
    [(count,)] = conn.execute(_Q["count_waiting_holds"])
    return int(count)


def _hold(
    *, reason: str, decision: str | None, amount_minor: int, earned_minor: int, currency: str, **same: Any
) -> Hold:
    return Hold(
        reason=HoldReason(reason),
        decision=HoldDecision(decision) if decision else None,
        amount=Money(amount_minor, currency),
        earned=Money(earned_minor, currency),
        **same,
    )
