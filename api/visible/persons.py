"""Who may see of a person by what they are known, and whose look is written down."""

from dataclasses import dataclass
from datetime import datetime

from api.auth import Caller, Role
from api.visible.customers import visible_customer
from customers.nouns import Customer
from millpond.kernel.db import ReadConnection


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """A customer, how much of who they are the caller sees, and why they might look; None for their own account."""

    customer: Customer
    names: bool
    merges: bool
    because: str | None


def visible_person(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> SeenPerson:
    """Their names for themselves and operators, merges for operators; bound staff see the account alone."""
    customer = visible_customer(conn, caller, customer_id, at)
    match caller.role:
        case Role.OPERATOR:
            return SeenPerson(customer, True, True, "operator")
        case Role.STAFF:
            return SeenPerson(customer, False, False, "bound_staff")
        case Role.CUSTOMER:
            return SeenPerson(customer, True, False, None)
