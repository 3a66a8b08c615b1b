"""Who may see what: one rule for each noun. Nothing else in the API decides it, and a test looks for what does.

What a caller may not see is answered exactly like what does not exist (404), so that nobody learns what there is.
Each function takes the caller and the id that they sent, and returns the thing, or raises NotFound.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NoReturn

from api.auth import Caller, Role
from attribution.binding_nouns import Binding
from attribution.bindings import binding_at, select_binding
from attribution.nouns import Order, Staff
from attribution.orders import select_order
from attribution.people import select_staff_member
from customers.accounts import select_customer
from customers.identifiers import resolve_customer
from customers.nouns import Customer
from devices.nouns import Device
from devices.owners import select_owned_from
from devices.store import select_device
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, StaffId, StoreId
from offers.nouns import Decision
from offers.store import select_decision

# No more of an id that somebody made up is said back to them.
_SAID_BACK = 80
_SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def _refuse(noun: str, named: str, what: str = "that you may see") -> NoReturn:
    raise NotFound(f"there is no {noun} {named[:_SAID_BACK]} {what}")


def require_role(caller: Caller, *roles: Role) -> None:
    """Let one of `roles` pass; for all others the call does not exist."""
    if caller.role not in roles:
        raise NotFound("there is nothing here that you may see")


def require_page(caller: Caller, *roles: Role) -> None:
    """Let one of `roles` pass; for all others the page does not exist, and they are told who could see it."""
    if caller.role not in roles:
        raise NotFound("there is no page here that you may see: sign in as someone else")


def may_see_workings(caller: Caller) -> bool:
    """Are they told how something came about inside: a device's doubts, a decision's gates? Operators alone are."""
    return caller.role is Role.OPERATOR


# Customers.


def visible_customer(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> Customer:
    """The customer with what is offered to them: for themselves, the staff member bound at `at`, and operators."""
    customer = _find_customer(conn, customer_id)
    if customer is None or not (_is_theirs(caller, customer) or _is_bound(conn, caller, customer, at)):
        _refuse("customer", customer_id)
    return customer


def visible_account(conn: ReadConnection, caller: Caller, customer_id: str) -> Customer:
    """The customer with what only they and operators know: devices, orders, who is credited."""
    customer = _find_customer(conn, customer_id)
    if customer is None or not _is_theirs(caller, customer):
        _refuse("customer", customer_id)
    return customer


def named_customer(conn: ReadConnection, customer_id: str) -> CustomerId:
    """The customer whom an operator names in a body; InvalidInput when there is none."""
    found = resolve_customer(conn, customer_id)
    if found is None:
        raise InvalidInput(f"customer_id: customer {customer_id[:_SAID_BACK]} is not known")
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


def owns_nothing(caller: Caller) -> bool:
    """Is it a customer's token under which nobody is registered? Their lists are empty, and all else is not there."""
    return caller.role is Role.CUSTOMER and caller.customer_id is None


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


# Devices.


@dataclass(frozen=True, slots=True)
class VisibleDevice:
    """A device as one caller may see it: nothing of it from before `since`, when they became its owner."""

    device: Device
    since: datetime


def visible_device(conn: ReadConnection, caller: Caller, serial: str) -> VisibleDevice:
    """The device: for its owner from when it became theirs, for operators whole."""
    owner = device_owner(caller)
    device = select_device(conn, serial)
    if device is None or owner not in (None, device.customer_id):
        _refuse("device", serial)
    if owner is None:
        return VisibleDevice(device, _SINCE_EVER)
    owned = as_owned(conn, device)
    return VisibleDevice(owned, owned.installed_at)


def device_owner(caller: Caller) -> CustomerId | None:
    """Whose devices the caller may see and act on: their own for a customer, None (everybody's) for operators."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    return own_customer_id(caller) if caller.role is Role.CUSTOMER else None


def may_register_devices(caller: Caller) -> bool:
    """Do they register devices, as operators do, or claim them, as customers do? NotFound for staff, who do neither."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    return caller.role is Role.OPERATOR


def as_owned(conn: ReadConnection, device: Device) -> Device:
    """The device as its owner is told of it: installed when it became theirs, where that was later."""
    owned_from = select_owned_from(conn, device.device_id)
    return replace(device, installed_at=max(device.installed_at, owned_from or device.installed_at))


# Bindings and decisions.


def visible_binding(conn: ReadConnection, caller: Caller, binding_id: str) -> Binding:
    """The binding: for its customer and for operators."""
    require_role(caller, Role.CUSTOMER, Role.OPERATOR)
    binding = select_binding(conn, binding_id)
    if binding is None or (caller.role is Role.CUSTOMER and not caller.is_customer(binding.customer_id)):
        _refuse("binding", binding_id)
    return binding


def visible_binding_of(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> Binding:
    """The binding in force at `at`: for the customer and for operators; NotFound also while there is none."""
    customer = visible_account(conn, caller, customer_id)
    binding = binding_at(conn, customer.customer_id, at)
    if binding is None:
        raise NotFound(f"nobody is credited for customer {customer_id} yet")
    return binding


def visible_decision(conn: ReadConnection, caller: Caller, decision_id: str) -> Decision:
    """Why something was offered or not: for the customer it is about and for operators."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    decision = select_decision(conn, decision_id)
    if decision is None or (caller.role is Role.CUSTOMER and not caller.is_customer(decision.customer_id)):
        _refuse("decision", decision_id)
    return decision


# Staff and stores.


def visible_staff(conn: ReadConnection, caller: Caller, staff_id: str) -> Staff:
    """The person who sells: for themselves, also after they left, and for operators."""
    staff = select_staff_member(conn, staff_id)
    if staff is None or (caller.role is not Role.OPERATOR and caller != Caller(Role.STAFF, staff_id)):
        _refuse("staff member", staff_id)
    return staff


def own_staff(conn: ReadConnection, caller: Caller) -> Staff:
    """The calling staff member, also after they left."""
    return visible_staff(conn, caller, caller.subject)


def employed_staff(conn: ReadConnection, caller: Caller, staff_id: str, at: datetime) -> Staff:
    """The same person as long as their codes bind; NotFound for one who has left too."""
    staff = visible_staff(conn, caller, staff_id)
    if not staff.employed_at(at):
        raise NotFound("this person has left: there is no code of theirs any more")
    return staff


def own_till(conn: ReadConnection, caller: Caller, store_id: str | None, at: datetime) -> Staff:
    """The calling staff member, who works at `at`, at the till of their own store (`None`: whichever that is)."""
    staff = _employed_self(conn, caller, at)
    if store_id not in (None, staff.store_id):
        _refuse("store", str(store_id), "at whose till you sell")
    return staff


def _employed_self(conn: ReadConnection, caller: Caller, at: datetime) -> Staff:
    staff = select_staff_member(conn, StaffId(caller.subject))
    if staff is None or not staff.employed_at(at):
        raise NotFound("you are not one of our staff")
    return staff


# Orders.


@dataclass(frozen=True, slots=True)
class OrderScope:
    """Which orders a list shows: one customer's, or those of one store, or, with None in both, all."""

    customer_id: CustomerId | None
    store_id: StoreId | None


def order_scope(conn: ReadConnection, caller: Caller, customer_id: str | None, at: datetime) -> OrderScope:
    """Their own for a customer, their store's for staff who work at `at`, one customer's or all for operators."""
    store_id = _employed_self(conn, caller, at).store_id if caller.role is Role.STAFF else None
    if customer_id is not None:
        return OrderScope(visible_account(conn, caller, customer_id).customer_id, store_id)
    return OrderScope(own_customer_id(caller) if caller.role is Role.CUSTOMER else None, store_id)


def visible_order(conn: ReadConnection, caller: Caller, order_id: str, at: datetime) -> Order:
    """The order: for its customer, its store's staff, the staff member credited, and operators."""
    order = select_order(conn, order_id)
    if order is None or not _may_see_order(conn, caller, order, at):
        _refuse("order", order_id)
    return order


def _may_see_order(conn: ReadConnection, caller: Caller, order: Order, at: datetime) -> bool:
    if caller.role is Role.STAFF:
        staff = select_staff_member(conn, caller.subject)
        if staff is None or not staff.employed_at(at):
            return False
        return staff.store_id == order.store_id or staff.staff_id == order.credited_to
    return caller.role is Role.OPERATOR or caller.is_customer(order.customer_id)


def may_see_credit(caller: Caller, order: Order) -> bool:
    """Is the caller told who is credited for this order? Staff only where it is themselves."""
    return caller.role is not Role.STAFF or order.credited_to == caller.subject


def refundable_order(conn: ReadConnection, caller: Caller, order_id: str, at: datetime) -> Order:
    """The order: for the tills of the store that sold it and for operators; nobody refunds what they bought."""
    require_role(caller, Role.STAFF, Role.OPERATOR)
    order = select_order(conn, order_id)
    staff = _employed_self(conn, caller, at) if caller.role is Role.STAFF else None
    if order is None or (staff is not None and staff.store_id != order.store_id):
        _refuse("order", order_id, "that you may refund")
    if staff is not None and staff.customer_id == order.customer_id:
        raise InvalidInput("nobody refunds what they bought themselves: ask a colleague or an operator")
    return order
