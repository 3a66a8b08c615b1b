"""Whose word a caller may write down, and how we then came to know it."""

from api.auth import Caller, Role
from api.visible.roles import refuse
from customers.nouns import Customer, Purpose
from offers.consenting import Telling


def find_purpose(named: str) -> Purpose:
    """The purpose that a path names; NotFound when there is none."""
    if named not in set(Purpose):
        refuse("purpose", named, "of consent")
    return Purpose(named)


def tell_by(caller: Caller, customer: Customer, source: str, evidence: dict[str, str]) -> Telling:
    """The customer's own word, said at `source`; or what an operator wrote down for them, who says how they know.

    `customer` is one whom the caller may see as `visible_account` says: staff have no way to say anything for one.
    """
    if caller.is_customer(customer.customer_id):
        return Telling(caller.actor, source, evidence)
    return Telling(caller.actor, Role.OPERATOR.value, evidence | {"operator": caller.subject})
