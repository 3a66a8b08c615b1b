"""Who may see why something was offered or not."""

from api.auth import Caller, Role
from api.visible.looks import note_look
from api.visible.roles import refuse, require_role
from millpond.kernel.db import ReadConnection
from offers.nouns import Decision
from offers.store import select_decision


def visible_decision(conn: ReadConnection, caller: Caller, decision_id: str) -> Decision:
    """Why something was offered or not: for the customer it is about and for operators."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    decision = select_decision(conn, decision_id)
    if decision is None or (caller.role is Role.CUSTOMER and not caller.is_customer(decision.customer_id)):
        refuse("decision", decision_id)
    note_look(caller, decision.customer_id)
    return decision
