"""Who may see a customer, and what of one."""

from datetime import datetime

from api.auth import Caller, Role
from api.visible.looks import note_look
from api.visible.roles import SAID_BACK, refuse, require_role
from attribution.bindings import binding_at
from attribution.people import select_staff_member
from customers.accounts import select_customer
from customers.consent import agrees_to
from customers.erased import select_erasure
from customers.identifiers import resolve_customer
from customers.nouns import Customer, Purpose
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId


def visible_customer(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> Customer:
    """The customer with what is offered to them: for themselves, the staff member bound at `at`, and operators."""
    customer = _find_customer(conn, customer_id)
    if customer is None or not (_is_theirs(caller, customer) or _is_bound(conn, caller, customer, at)):
        refuse("customer", customer_id)
    note_look(caller, customer.customer_id, because=None if _is_theirs(caller, customer) else "bound_staff")
    return customer


def visible_customer_id(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> CustomerId:
    """The id of the same customer; their own without a look, since their token has led to it."""
    if caller.customer_id is not None and caller.customer_id == customer_id:
        return caller.customer_id
    return visible_customer(conn, caller, customer_id, at).customer_id


def may_see_offers(conn: ReadConnection, caller: Caller, customer_id: CustomerId, at: datetime) -> bool:
    """Whether the caller, who may see the customer, sees what is offered to them: staff while they may contact them."""
    return caller.role is not Role.STAFF or agrees_to(conn, customer_id, Purpose.STAFF_CONTACT, at)


def visible_account(conn: ReadConnection, caller: Caller, customer_id: str) -> Customer:
    """The customer with what only they and operators know: devices, orders, who is credited."""
    customer = _find_customer(conn, customer_id)
    if customer is None or not _is_theirs(caller, customer):
        refuse("customer", customer_id)
    note_look(caller, customer.customer_id)
    return customer


def erasable_customer(conn: ReadConnection, caller: Caller, customer_id: str) -> CustomerId:
    """Who is to be erased: themselves for a customer, anybody for operators; who was erased before is found, too."""
    found = select_erasure(conn, customer_id)
    if found is not None and (caller.role is Role.OPERATOR or caller.subject in found.customer_ids):
        return found.customer_ids[0]
    return visible_account(conn, caller, customer_id).customer_id


def named_customer(conn: ReadConnection, customer_id: str) -> CustomerId:
    """The customer whom an operator names in a body; InvalidInput when there is none."""
    found = resolve_customer(conn, customer_id)
    if found is None:
        raise InvalidInput(f"customer_id: customer {customer_id[:SAID_BACK]} is not known")
    return found


def own_account(conn: ReadConnection, caller: Caller) -> Customer:
    """The calling customer's own account; NotFound when it was never opened."""
    customer = find_own_account(conn, caller)
    if customer is None:
        raise NotFound("there is no account for this token: sign in with another one")
    return customer


def find_own_account(conn: ReadConnection, caller: Caller | None) -> Customer | None:
    """The same account; None for everybody else: staff, operators, a customer without one, and nobody at all."""
    return select_customer(conn, caller.customer_id) if caller and caller.customer_id else None


def own_customer_id(caller: Caller) -> CustomerId:
    """Whose call it is, where only the customer may call: answers to offers, scans, claims.

    NotFound for other roles, and for a token under which nobody is registered.
    """
    require_role(caller, Role.CUSTOMER)
    if caller.customer_id is None:
        raise NotFound(f"customer {caller.subject} is not known")
    return caller.customer_id


def _find_customer(conn: ReadConnection, named: str) -> Customer | None:
    """The customer whom a path or a body names, by our id or by the brand's own key."""
    found = resolve_customer(conn, named)
    return select_customer(conn, found) if found else None


def _is_theirs(caller: Caller, customer: Customer) -> bool:
    return caller.role is Role.OPERATOR or caller.is_customer(customer.customer_id)


def _is_bound(conn: ReadConnection, caller: Caller, customer: Customer, at: datetime) -> bool:
    if caller.role is not Role.STAFF:
        return False
    binding, staff = binding_at(conn, customer.customer_id, at), select_staff_member(conn, caller.subject)
    return binding is not None and staff is not None and staff.employed_at(at) and binding.staff_id == staff.staff_id
