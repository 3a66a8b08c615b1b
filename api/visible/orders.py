"""Who may see an order, its credit, and give money back on it."""

from dataclasses import dataclass
from datetime import datetime

from api.auth import Caller, Role
from api.visible.customers import own_customer_id, visible_account
from api.visible.looks import note_look
from api.visible.roles import refuse, require_role
from api.visible.staff import employed_self
from attribution.nouns import Order
from attribution.orders import select_order
from attribution.people import select_staff_member
from customers.accounts import select_customer
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId, StoreId


@dataclass(frozen=True, slots=True)
class OrderScope:
    """Which orders a list shows: one customer's, or those of one store, or, with None in both, all."""

    customer_id: CustomerId | None
    store_id: StoreId | None


def order_scope(conn: ReadConnection, caller: Caller, customer_id: str | None, at: datetime) -> OrderScope:
    """Their own for a customer, their store's for staff who work at `at`, one customer's or all for operators."""
    store_id = employed_self(conn, caller, at).store_id if caller.role is Role.STAFF else None
    if customer_id is not None:
        return OrderScope(visible_account(conn, caller, customer_id).customer_id, store_id)
    return OrderScope(own_customer_id(caller) if caller.role is Role.CUSTOMER else None, store_id)


def visible_order(conn: ReadConnection, caller: Caller, order_id: str, at: datetime) -> Order:
    """The order: for its customer, its store's staff, the staff member credited, and operators."""
    order = select_order(conn, order_id)
    if order is None or not _may_see_order(conn, caller, order, at):
        refuse("order", order_id)
    note_look(caller, order.customer_id)
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
    staff = employed_self(conn, caller, at) if caller.role is Role.STAFF else None
    if order is None or (staff is not None and staff.store_id != order.store_id):
        refuse("order", order_id, "that you may refund")
    if staff is not None and staff.customer_id is not None and staff.customer_id == _find_buyer(conn, order):
        raise InvalidInput("nobody refunds what they bought themselves: ask a colleague or an operator")
    return order


def _find_buyer(conn: ReadConnection, order: Order) -> CustomerId | None:
    """Who bought it, as they are known now: the account may have been merged into another since."""
    buyer = select_customer(conn, order.customer_id)
    return buyer.customer_id if buyer else None
