"""`/v1/plan`: which events there are, what their properties are like, and which came that it does not know."""

from fastapi import APIRouter

from api.auth import Role
from api.edge import CallerDep, EdgeDep, Reads
from api.told.event_quarantine import PlanOut, UnknownEventOut, show_events
from api.visible.roles import require_role
from events.quarantine.store import select_unknown_events

router = APIRouter(prefix="/v1/plan", tags=["events"])


@router.get("", response_model=PlanOut)
def get_plan(edge: EdgeDep, reads: Reads, caller: CallerDep) -> PlanOut:
    """The tracking plan that ships with your own over it, and the events that it does not know, most first."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        unknown = [UnknownEventOut.model_validate(each) for each in select_unknown_events(conn)]
    return PlanOut(events=show_events(edge.event_terms.plan), unknown=unknown)
