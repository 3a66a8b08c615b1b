"""A staff member's month: the orders credited to them, and the commission that moved on these."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import kwargs_row

from attribution.hold_nouns import HoldDecision
from attribution.ledger_nouns import AccountKind, EntryKind
from attribution.nouns import Channel
from attribution.people import select_staff_member, select_store
from attribution.statements.nouns import Statement, StatementLine, StatementTotals
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import StaffId
from millpond.kernel.money import Money

_Q = load_queries("attribution.statements")


def build_statement(conn: ReadConnection, staff_id: StaffId, month: date) -> Statement:
    """The month that `month` lies in, in the time zone of the person's store.

    Raises NotFound for an unknown person, InvalidInput for a year that no calendar of ours has.
    """
    staff = select_staff_member(conn, staff_id)
    store = select_store(conn, staff.store_id) if staff else None
    if store is None:
        raise NotFound(f"staff member {staff_id} is not known")
    if not 1970 <= month.year <= 9000:
        raise InvalidInput(f"there is no statement for the year {month.year}")
    first = month.replace(day=1)
    begins_at, ends_at = _midnight(first, store.time_zone), _midnight(_next_month(first), store.time_zone)
    values = {"staff_id": staff_id, "from_at": begins_at, "to_at": ends_at}
    lines, movements = _select_lines(conn, values), _select_movements(conn, values)
    placed = Counter(line.amount.currency for line in lines if begins_at <= line.placed_at < ends_at)
    totals = _totals(movements, lines, placed)
    return Statement(staff_id, first, store.time_zone, begins_at, ends_at, lines, totals)


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _select_lines(conn: ReadConnection, values: dict[str, Any]) -> tuple[StatementLine, ...]:
    with conn.cursor(row_factory=kwargs_row(_line)) as cursor:
        return tuple(cursor.execute(_Q["select_statement_lines"], values))


def _line(
    *,
    channel: str,
    amount_minor: int,
    refunded_minor: int,
    earned_minor: int,
    clawed_back_minor: int,
    released_minor: int,
    currency: str,
    decision: str | None,
    **same: Any,
) -> StatementLine:
    return StatementLine(
        channel=Channel(channel),
        amount=Money(amount_minor, currency),
        refunded=Money(refunded_minor, currency),
        earned=Money(earned_minor, currency),
        clawed_back=Money(clawed_back_minor, currency),
        released=Money(released_minor, currency),
        decision=HoldDecision(decision) if decision else None,
        **same,
    )


@dataclass(frozen=True, slots=True)
class _Movement:
    """What entries of one kind moved on a person's accounts of one kind: ever until the month's end, and within it."""

    entry: EntryKind
    account: AccountKind
    until_end: Money
    within: Money


def _select_movements(conn: ReadConnection, values: dict[str, Any]) -> list[_Movement]:
    with conn.cursor(row_factory=kwargs_row(_movement)) as cursor:
        return cursor.execute(_Q["select_movements"], values).fetchall()


def _movement(*, entry: str, account: str, currency: str, until_end_minor: int, within_minor: int) -> _Movement:
    return _Movement(
        EntryKind(entry), AccountKind(account), Money(until_end_minor, currency), Money(within_minor, currency)
    )


def _totals(
    movements: Sequence[_Movement], lines: Sequence[StatementLine], placed: Counter[str]
) -> tuple[StatementTotals, ...]:
    """One for each currency of the month.

    `placed` is how many orders of each currency are of this month: one that only moved in it counts in its own month.
    """
    currencies = sorted({each.within.currency for each in movements} | {line.amount.currency for line in lines})
    return tuple(
        _currency_totals(
            currency, [each for each in movements if each.within.currency == currency], orders=placed[currency]
        )
        for currency in currencies
    )


def _currency_totals(currency: str, movements: Sequence[_Movement], *, orders: int) -> StatementTotals:
    # A refund takes back from what is pending before the release, and from what is available after it; what an
    # operator rejected is taken back as much as what a refund claws back.
    back = (AccountKind.PENDING, AccountKind.AVAILABLE)
    nothing = Money(0, currency)

    def within(kind: EntryKind, *accounts: AccountKind) -> Money:
        return sum((each.within for each in movements if each.entry is kind and each.account in accounts), nothing)

    def held(wanted: AccountKind) -> Money:
        return sum((each.until_end for each in movements if each.account is wanted), nothing)

    return StatementTotals(
        currency=currency,
        orders=orders,
        earned=within(EntryKind.EARNED, AccountKind.PENDING),
        # Taken back is negative on the person's own accounts; a statement tells it as a positive number.
        clawed_back=-(within(EntryKind.CLAWED_BACK, *back) + within(EntryKind.REJECTED, *back)),
        released=within(EntryKind.RELEASED, AccountKind.AVAILABLE),
        paid_out=within(EntryKind.PAID_OUT, AccountKind.PAID),
        pending=held(AccountKind.PENDING),
        payable=held(AccountKind.AVAILABLE),
    )
