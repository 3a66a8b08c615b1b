"""Who may see by whom a customer is looked after."""

from datetime import datetime

from api.auth import Caller, Role
from api.visible.customers import visible_account
from api.visible.looks import note_look
from api.visible.roles import refuse, require_role
from attribution.binding_nouns import Binding
from attribution.bindings import binding_at, select_binding
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import NotFound


def visible_binding(conn: ReadConnection, caller: Caller, binding_id: str) -> Binding:
    """The binding: for its customer and for operators."""
    require_role(caller, Role.CUSTOMER, Role.OPERATOR)
    binding = select_binding(conn, binding_id)
    if binding is None or (caller.role is Role.CUSTOMER and not caller.is_customer(binding.customer_id)):
        refuse("binding", binding_id)
    note_look(caller, binding.customer_id)
    return binding


def visible_binding_of(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> Binding:
    """The binding in force at `at`: for the customer and for operators; NotFound also while there is none."""
    customer = visible_account(conn, caller, customer_id)
    binding = binding_at(conn, customer.customer_id, at)
    if binding is None:
        raise NotFound(f"nobody is credited for customer {customer_id} yet")
    return binding
