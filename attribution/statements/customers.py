"""The customers whom a staff member is credited for."""

from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from attribution.statements.nouns import BoundCustomer
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId, StaffId
from millpond.kernel.money import Money

_Q = load_queries("attribution.statements")


def select_bound_customers(
    conn: ReadConnection, staff_id: StaffId, *, at: datetime, after: CustomerId | None = None, limit: int = 50
) -> list[BoundCustomer]:
    """Customers bound to the person at that moment, by id, with their last order."""
    values = {"staff_id": staff_id, "at": at, "after": after or "", "limit": limit}
    with conn.cursor(row_factory=kwargs_row(_bound_customer)) as cursor:
        return cursor.execute(_Q["select_bound_customers"], values).fetchall()


def _bound_customer(*, amount_minor: int | None, currency: str | None, **same: Any) -> BoundCustomer:
    """`amount_minor` and `currency` are the last order's, None before the first."""
    last_order = None if amount_minor is None or currency is None else Money(amount_minor, currency)
    return BoundCustomer(last_order=last_order, **same)
