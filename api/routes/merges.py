"""`/v1/merges`: two customers who were taken for one."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, WriteDep, answer_write
from api.models import Out
from api.told.persons import MergeOut
from api.visible.customers import named_customer
from api.visible.roles import require_role
from customers.identity.by_hand import undo_by_hand
from customers.identity.nouns import MergeId
from millpond.kernel.db import WriteConnection
from offers.life import withdraw_parted_offers

router = APIRouter(prefix="/v1/merges", tags=["customers"])


@router.post("/{merge_id}/undo", response_model=MergeOut)
def post_undo(merge_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """They are two after all: each is again who they were, and what was done since stays with who stayed."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        merge = undo_by_hand(conn, MergeId(merge_id), by=caller.actor, at=at)
        parted = [named_customer(conn, each) for each in (merge.absorbed, merge.survivor)]
        withdraw_parted_offers(conn, parted, at=at, actor=caller.actor)
        return 200, MergeOut.model_validate(merge)

    return answer_write(write, act)
