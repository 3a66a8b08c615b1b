"""What staff and operators read of the ledger."""

from datetime import date, datetime

from attribution.nouns import BoundCustomer, LedgerTotals, Statement
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId, StaffId


def build_statement(conn: ReadConnection, staff_id: StaffId, month: date) -> Statement:
    """The month that `month` lies in, in the time zone of the person's store. Raises NotFound for an unknown person."""
    raise NotImplementedError


def select_bound_customers(
    conn: ReadConnection, staff_id: StaffId, *, at: datetime, after: CustomerId | None = None, limit: int = 50
) -> list[BoundCustomer]:
    """Customers bound to the person at that moment, by id, with their last order."""
    raise NotImplementedError


def select_ledger_totals(conn: ReadConnection) -> list[LedgerTotals]:
    """The whole ledger by currency."""
    raise NotImplementedError


def ledger_balance(conn: ReadConnection) -> int:
    """By how many minor units the ledger is out of balance, over all currencies: always zero."""
    raise NotImplementedError
