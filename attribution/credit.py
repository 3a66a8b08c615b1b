"""Commission of one order: earned when it is placed, reversed when it is refunded."""

from datetime import datetime

from attribution.commission import compute_clawback, compute_commission
from attribution.hold_nouns import Ceilings
from attribution.holds import hold_when_due
from attribution.ledger import move, post_entry
from attribution.ledger_nouns import AccountKind, CommissionPlan, EntryKind
from attribution.nouns import Order
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import OrderId, RefundId
from millpond.kernel.money import Money

_Q = load_queries("attribution")


def credit_order(conn: WriteConnection, order: Order, ceilings: Ceilings, *, at: datetime) -> Money:
    """Post what the order earns its credited person, pending; in the caller's transaction. Zero when nobody is.

    What is the seller's own, or beyond a ceiling, is held.
    """
    plan = select_plan_at(conn, order.placed_at)
    earned = compute_commission(plan, order.amount)
    if order.credited_to is None or earned.amount_minor == 0:
        return Money(0, order.amount.currency)
    expense, pending = (AccountKind.EXPENSE, order.credited_to), (AccountKind.PENDING, order.credited_to)
    postings = move(expense, pending, earned)
    post_entry(conn, EntryKind.EARNED, postings, at=at, order_id=order.order_id, plan_id=plan.plan_id)
    hold_when_due(conn, order, ceilings)
    return earned


def claw_back(conn: WriteConnection, order: Order, refund_id: RefundId, amount: Money, *, at: datetime) -> Money:
    """Reverse a refund's share of what the order earned, in the caller's transaction, which has locked the order.

    `order` is as it was before the refund. What was released before makes the available balance smaller, below zero
    even, and is recovered from later earnings.
    """
    plan = _select_plan_of_order(conn, order.order_id)
    if plan is None or order.credited_to is None or _is_rejected(conn, order.order_id):
        return Money(0, amount.currency)
    reversed_ = compute_clawback(plan, order.amount, order.refunded, amount)
    if reversed_.amount_minor == 0:
        return reversed_
    kind = AccountKind.AVAILABLE if _is_released(conn, order.order_id) else AccountKind.PENDING
    postings = move((kind, order.credited_to), (AccountKind.EXPENSE, order.credited_to), reversed_)
    post_entry(
        conn, EntryKind.CLAWED_BACK, postings, at=at, order_id=order.order_id, refund_id=refund_id, plan_id=plan.plan_id
    )
    return reversed_


def select_plan_at(conn: ReadConnection, at: datetime) -> CommissionPlan:
    """The plan in force at that moment; the schema has one from the beginning of time."""
    row = conn.execute(_Q["select_plan_at"], {"at": at}).fetchone()
    assert row is not None
    return CommissionPlan(*row)


def _select_plan_of_order(conn: ReadConnection, order_id: OrderId) -> CommissionPlan | None:
    row = conn.execute(_Q["select_plan_of_order"], {"order_id": order_id}).fetchone()
    return CommissionPlan(*row) if row else None


def _is_rejected(conn: ReadConnection, order_id: OrderId) -> bool:
    """Whether an operator took it back: then there is nothing left for a refund to reverse."""
    return conn.execute(_Q["is_rejected"], {"order_id": order_id}).fetchone() == (True,)


def _is_released(conn: ReadConnection, order_id: OrderId) -> bool:
    return conn.execute(_Q["is_released"], {"order_id": order_id}).fetchone() == (True,)
