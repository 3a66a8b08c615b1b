"""The double-entry ledger of commission: it only grows, and every entry sums to zero."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from attribution.ledger_nouns import AccountKind, EntryKind, Posting
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import EntryId, OrderId, RefundId, StaffId, new_id
from millpond.kernel.money import Money

_Q = load_queries("attribution")
_REFUSALS: Refusals = {
    "commission_earned_once": partial(Conflict, "this order has already earned its commission"),
    "commission_released_once": partial(Conflict, "this order's commission has already been released"),
    "commission_rejected_once": partial(Conflict, "this order's commission has already been rejected"),
    "commission_clawed_back_once": partial(Conflict, "this refund has already reversed its commission"),
}


def post_entry(
    conn: WriteConnection,
    kind: EntryKind,
    postings: Sequence[Posting],
    *,
    at: datetime,
    order_id: OrderId | None = None,
    refund_id: RefundId | None = None,
    plan_id: int | None = None,
) -> EntryId:
    """Post one balanced fact in the caller's transaction; the schema refuses one that does not balance at its end.

    Raises Conflict when this order or refund already has an entry of this kind.
    """
    entry_id = EntryId(new_id("ent"))
    values = {"entry_id": entry_id, "kind": kind, "order_id": order_id, "refund_id": refund_id, "plan_id": plan_id}
    with refusing(conn, _REFUSALS):
        conn.execute(_Q["insert_entry"], values | {"at": at})
        for line, posting in enumerate(postings, start=1):
            _insert_posting(conn, entry_id, line, posting)
    return entry_id


def move(source: tuple[AccountKind, StaffId], target: tuple[AccountKind, StaffId], amount: Money) -> list[Posting]:
    """The two postings that take an amount from one account to another.

    What is earned is moved from the expense account to the person's, so what we owe stands as a positive number on
    theirs and as a negative one on ours, and the two always sum to zero.
    """
    return [_posting(source, -amount), _posting(target, amount)]


def _posting(account: tuple[AccountKind, StaffId], amount: Money) -> Posting:
    # There is one expense account a currency, whoever it was spent on.
    kind, staff_id = account
    return Posting(kind, None if kind is AccountKind.EXPENSE else staff_id, amount)


def _insert_posting(conn: WriteConnection, entry_id: EntryId, line: int, posting: Posting) -> None:
    values = {
        "entry_id": entry_id,
        "line": line,
        "account_id": _account(conn, posting),
        "amount_minor": posting.amount.amount_minor,
        "currency": posting.amount.currency,
    }
    conn.execute(_Q["insert_posting"], values)


def _account(conn: WriteConnection, posting: Posting) -> int:
    """The account's key, created on demand: whoever loses the race to create it reads the winner's."""
    key = {"kind": posting.kind, "staff_id": posting.staff_id, "currency": posting.amount.currency}
    for query in ("select_account", "insert_account", "select_account"):
        row = conn.execute(_Q[query], key).fetchone()
        if row is not None:
            (account_id,) = row
            return int(account_id)
    raise LookupError(f"account {key} can be neither created nor read")


def select_balances(conn: ReadConnection, staff_id: StaffId) -> dict[tuple[AccountKind, str], Money]:
    """What a person's accounts hold, by kind and currency; accounts never used are absent."""
    rows = conn.execute(_Q["select_balances"], {"staff_id": staff_id}).fetchall()
    return {(AccountKind(kind), currency): Money(minor, currency) for kind, currency, minor in rows}


def select_pending_of_order(conn: ReadConnection, order_id: OrderId, currency: str) -> Money:
    """What an order still has pending."""
    [(pending_minor,)] = conn.execute(_Q["select_pending_of_order"], {"order_id": order_id})
    return Money(pending_minor, currency)
