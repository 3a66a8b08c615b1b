"""Who may see how much of a person's time line."""

from collections.abc import Collection
from datetime import datetime

from api.auth import Caller, Role
from api.visible.customers import visible_customer
from customers.nouns import Customer
from dam.person.timeline import FOR_STAFF, Kind
from millpond.kernel.db import ReadConnection


def visible_journey(
    conn: ReadConnection, caller: Caller, customer_id: str, at: datetime
) -> tuple[Customer, Collection[Kind]]:
    """The customer, and of which kinds the caller sees what they did.

    All for themselves and for operators; the staff member who is bound sees what looking after somebody needs.
    """
    customer = visible_customer(conn, caller, customer_id, at)
    return customer, FOR_STAFF if caller.role is Role.STAFF else tuple(Kind)
