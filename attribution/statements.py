"""What staff and operators read of the ledger."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from attribution.hold_nouns import HoldDecision
from attribution.ledger_nouns import AccountKind, EntryKind, LedgerTotals
from attribution.nouns import Channel
from attribution.people import select_staff_member, select_store
from attribution.statement_nouns import BoundCustomer, Statement, StatementLine, StatementTotals
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, StaffId
from millpond.kernel.money import Money

_Q = load_queries("attribution")


def build_statement(conn: ReadConnection, staff_id: StaffId, month: date) -> Statement:
    """The month that `month` lies in, in the time zone of the person's store. Raises NotFound for an unknown person."""
    staff = select_staff_member(conn, staff_id)
    store = select_store(conn, staff.store_id) if staff else None
    if store is None:
        raise NotFound(f"staff member {staff_id} is not known")
    if not 1970 <= month.year <= 9000:
        raise InvalidInput(f"there is no statement for the year {month.year}")
    first = month.replace(day=1)
    begins_at, ends_at = _midnight(first, store.time_zone), _midnight(_next_month(first), store.time_zone)
    values = {"staff_id": staff_id, "from_at": begins_at, "to_at": ends_at}
    lines = tuple(_line(row) for row in conn.execute(_Q["select_statement_lines"], values))
    placed = Counter(line.amount.currency for line in lines if begins_at <= line.placed_at < ends_at)
    totals = _totals(conn.execute(_Q["select_movements"], values).fetchall(), lines, placed)
    return Statement(staff_id, first, store.time_zone, begins_at, ends_at, lines, totals)


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _line(row: tuple[Any, ...]) -> StatementLine:
    order_id, customer_id, name, channel, store_id, placed_at, amount, refunded, currency, *moved, held, decision = row
    earned, clawed_back, released = (Money(minor, currency) for minor in moved)
    return StatementLine(
        order_id=order_id,
        customer_id=customer_id,
        customer_name=name,
        channel=Channel(channel),
        store_id=store_id,
        placed_at=placed_at,
        amount=Money(amount, currency),
        refunded=Money(refunded, currency),
        earned=earned,
        clawed_back=clawed_back,
        released=released,
        held=held,
        decision=HoldDecision(decision) if decision else None,
    )


def _totals(
    movements: list[tuple[Any, ...]], lines: Sequence[StatementLine], placed: Counter[str]
) -> tuple[StatementTotals, ...]:
    """`movements` are (entry kind, account kind, currency, until the end of the month, within the month).

    `placed` is how many orders of each currency are of this month: one that only moved in it counts in its own month.
    """
    currencies = sorted({row[2] for row in movements} | {line.amount.currency for line in lines})
    return tuple(
        _currency_totals(
            currency,
            [(EntryKind(row[0]), AccountKind(row[1]), row[3], row[4]) for row in movements if row[2] == currency],
            orders=placed[currency],
        )
        for currency in currencies
    )


def _currency_totals(
    currency: str, movements: list[tuple[EntryKind, AccountKind, int, int]], *, orders: int
) -> StatementTotals:
    # What an operator rejected is taken back as much as what a refund claws back.
    back = (AccountKind.PENDING, AccountKind.AVAILABLE)

    def within(kind: EntryKind, *accounts: AccountKind) -> Money:
        return Money(sum(m for entry, account, _, m in movements if entry is kind and account in accounts), currency)

    def held(wanted: AccountKind) -> Money:
        return Money(sum(until for _, account, until, _ in movements if account is wanted), currency)

    return StatementTotals(
        currency=currency,
        orders=orders,
        earned=within(EntryKind.EARNED, AccountKind.PENDING),
        clawed_back=-(within(EntryKind.CLAWED_BACK, *back) + within(EntryKind.REJECTED, *back)),
        released=within(EntryKind.RELEASED, AccountKind.AVAILABLE),
        paid_out=within(EntryKind.PAID_OUT, AccountKind.PAID),
        pending=held(AccountKind.PENDING),
        payable=held(AccountKind.AVAILABLE),
    )


def select_bound_customers(
    conn: ReadConnection, staff_id: StaffId, *, at: datetime, after: CustomerId | None = None, limit: int = 50
) -> list[BoundCustomer]:
    """Customers bound to the person at that moment, by id, with their last order."""
    values = {"staff_id": staff_id, "at": at, "after": after or "", "limit": limit}
    return [_bound_customer(row) for row in conn.execute(_Q["select_bound_customers"], values)]


def _bound_customer(row: tuple[Any, ...]) -> BoundCustomer:
    last_order = Money(row[6], row[7]) if row[4] else None
    return BoundCustomer(row[0], row[1], row[2], row[3], row[4], row[5], last_order, row[8])


def select_ledger_totals(conn: ReadConnection) -> list[LedgerTotals]:
    """The whole ledger by currency."""
    rows = conn.execute(_Q["select_ledger_totals"]).fetchall()
    return [_ledger_totals(*row) for row in rows]


def _ledger_totals(
    currency: str, expense: int, pending: int, available: int, paid: int, balance: int, entries: int
) -> LedgerTotals:
    def money(minor: int) -> Money:
        return Money(minor, currency)

    return LedgerTotals(
        currency, money(expense), money(pending), money(available), money(paid), money(balance), entries
    )


def ledger_balance(conn: ReadConnection) -> int:
    """By how many minor units the ledger is out of balance, over all currencies: always zero."""
    return sum(abs(totals.balance.amount_minor) for totals in select_ledger_totals(conn))
