"""Commission of one order: earned when it is placed, reversed when it is refunded."""

from datetime import datetime

from psycopg.rows import class_row

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
    """Post what the order earns the person credited, as pending, in the caller's transaction; returns how much.

    Nothing when nobody is credited. What is the seller's own, or beyond a ceiling, is held.
    """
    plan = _select_plan_at(conn, order.placed_at)
    earned = compute_commission(plan, order.amount)
    # The ledger has no posting of nothing: a plan of 0 %, or an order of some cents, leaves no entry.
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
    if plan is None or order.credited_to is None:
        return Money(0, amount.currency)
    # An operator has taken all of it back already: a refund finds nothing left to reverse.
    if _has_entry(conn, order.order_id, EntryKind.REJECTED):
        return Money(0, amount.currency)
    # At the rate under which it was earned, whatever the plan of today: else clawbacks would not add up to it.
    reversed_ = compute_clawback(plan, order.amount, order.refunded, amount)
    if reversed_.amount_minor == 0:
        return reversed_
    # After the release the pending account has nothing of this order any more. The available one may fall below zero,
    # when it was paid out: then we are owed, and later earnings make up for it.
    released = _has_entry(conn, order.order_id, EntryKind.RELEASED)
    kind = AccountKind.AVAILABLE if released else AccountKind.PENDING
    postings = move((kind, order.credited_to), (AccountKind.EXPENSE, order.credited_to), reversed_)
    post_entry(
        conn, EntryKind.CLAWED_BACK, postings, at=at, order_id=order.order_id, refund_id=refund_id, plan_id=plan.plan_id
    )
    return reversed_


def _select_plan_at(conn: ReadConnection, at: datetime) -> CommissionPlan:
    """The plan in force at that moment; the schema has one from the beginning of time."""
    with conn.cursor(row_factory=class_row(CommissionPlan)) as cursor:
        [plan] = cursor.execute(_Q["select_plan_at"], {"at": at})
    return plan


def _select_plan_of_order(conn: ReadConnection, order_id: OrderId) -> CommissionPlan | None:
    with conn.cursor(row_factory=class_row(CommissionPlan)) as cursor:
        return cursor.execute(_Q["select_plan_of_order"], {"order_id": order_id}).fetchone()


def _has_entry(conn: ReadConnection, order_id: OrderId, kind: EntryKind) -> bool:
    [(found,)] = conn.execute(_Q["has_entry"], {"order_id": order_id, "kind": kind})
    return bool(found)
