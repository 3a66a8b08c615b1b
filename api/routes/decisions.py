"""`/v1/decisions`: why there is an offer, or why none."""

from fastapi import APIRouter

from api.edge import CallerDep, Reads
from api.told.decisions import DecisionOut, show_decision
from api.visible.decisions import visible_decision
from customers.accounts import select_customer

router = APIRouter(prefix="/v1/decisions", tags=["offers"])


@router.get("/{decision_id}", response_model=DecisionOut)
def get_decision(decision_id: str, reads: Reads, caller: CallerDep) -> DecisionOut:
    """Why this offer, or why none: every rule for an operator, plain words for the customer."""
    with reads.connection() as conn:
        decision = visible_decision(conn, caller, decision_id)
        customer = select_customer(conn, decision.customer_id) if decision.customer_id else None
    return show_decision(decision, caller, customer.locale if customer else "en")
