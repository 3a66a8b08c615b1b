"""What the whole ledger comes to."""

from psycopg.rows import kwargs_row

from attribution.ledger_nouns import LedgerTotals
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.money import Money

_Q = load_queries("attribution.statements")


def select_ledger_totals(conn: ReadConnection) -> list[LedgerTotals]:
    """The whole ledger, one row a currency."""
    with conn.cursor(row_factory=kwargs_row(_ledger_totals)) as cursor:
        return cursor.execute(_Q["select_ledger_totals"]).fetchall()


def ledger_balance(conn: ReadConnection) -> int:
    """By how many minor units the ledger is out of balance, over all currencies: always zero."""
    return sum(abs(totals.balance.amount_minor) for totals in select_ledger_totals(conn))


def _ledger_totals(
    *,
    currency: str,
    expense_minor: int,
    pending_minor: int,
    available_minor: int,
    paid_minor: int,
    balance_minor: int,
    entries: int,
) -> LedgerTotals:
    return LedgerTotals(
        currency=currency,
        expense=Money(expense_minor, currency),
        pending=Money(pending_minor, currency),
        available=Money(available_minor, currency),
        paid=Money(paid_minor, currency),
        balance=Money(balance_minor, currency),
        entries=entries,
    )
