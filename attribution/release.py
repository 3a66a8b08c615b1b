"""Commission becomes payable when the return window has passed, and is paid out."""

from datetime import datetime

from attribution.ledger import move, post_entry, select_balances, select_pending_of_order
from attribution.ledger_nouns import AccountKind, EntryKind, Payout
from attribution.order_rows import lock_order
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import OrderId, StaffId
from millpond.kernel.jobs import Claim, held

_Q = load_queries("attribution")


def release_commissions(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> int:
    """Make pending commission available for every order whose return window has passed; how many orders that were.

    One transaction per order. Running it again for the same moment releases nothing more. Raises LeaseLost when
    `claim` was taken over.
    """
    due = conn.execute(_Q["select_releasable_orders"], {"at": at}).fetchall()
    return sum(_release(conn, OrderId(order_id), at, claim) for (order_id,) in due)


def _release(conn: WriteConnection, order_id: OrderId, at: datetime, claim: Claim | None) -> bool:
    """Release what is pending of one order, net of its clawbacks; False when there is nothing (any more)."""
    with held(conn, claim):
        order = lock_order(conn, order_id)
        if order is None or order.credited_to is None:
            return False
        # What refunds have left of it. Looked at behind the lock: another release, or a refund, may have been faster.
        pending = select_pending_of_order(conn, order_id, order.amount.currency)
        if pending.amount_minor <= 0:
            return False
        postings = move((AccountKind.PENDING, order.credited_to), (AccountKind.AVAILABLE, order.credited_to), pending)
        post_entry(conn, EntryKind.RELEASED, postings, at=at, order_id=order_id)
        return True


def pay_out(conn: WriteConnection, staff_id: StaffId, *, at: datetime) -> list[Payout]:
    """Pay all that is available, one payout per currency, in one transaction; nothing where it is not positive.

    Raises NotFound when the person is unknown.
    """
    with conn.transaction():
        # Two payouts at once would both find the same balance and pay it twice.
        if conn.execute(_Q["lock_staff"], {"staff_id": staff_id}).fetchone() is None:
            raise NotFound(f"staff member {staff_id} is not known")
        payouts = []
        # Below zero the person owes us, for refunds after an earlier payout: what they earn next makes up for it first.
        for (kind, _), balance in select_balances(conn, staff_id).items():
            if kind is AccountKind.AVAILABLE and balance.amount_minor > 0:
                postings = move((AccountKind.AVAILABLE, staff_id), (AccountKind.PAID, staff_id), balance)
                entry_id = post_entry(conn, EntryKind.PAID_OUT, postings, at=at)
                payouts.append(Payout(entry_id, staff_id, balance, at))
        return payouts
