"""`/v1/commission-holds`: commission that waits for an operator, and the yes or no to it."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.holds import HoldOut
from api.visible.looks import note_looks
from api.visible.roles import require_role
from attribution.holds import approve_hold, reject_hold, select_holds
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/v1/commission-holds", tags=["staff"])


class Look(Body):
    """What an operator found, for who asks later."""

    note: Text | None = None


@router.get("", response_model=Page[HoldOut])
def get_holds(
    reads: Reads,
    caller: CallerDep,
    decided: Annotated[bool, Query(description="Show what was decided too.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[HoldOut]:
    """What waits for an operator, the longest first."""
    require_role(caller, Role.OPERATOR)
    after = decode_time_cursor(cursor, str)
    with reads.connection() as conn:
        rows = select_holds(conn, waiting=not decided, after=after, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.held_at.isoformat(), row.order_id))
    note_looks(caller, shown)
    return Page(items=[HoldOut.model_validate(row) for row in shown], next_cursor=following)


@router.post("/{order_id}/approval", response_model=HoldOut)
def post_approval(order_id: str, caller: CallerDep, write: WriteDep, at: At, body: Look | None = None) -> JSONResponse:
    """Let the commission be released when its return window has passed."""
    require_role(caller, Role.OPERATOR)
    note = body.note if body else None

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, HoldOut.model_validate(approve_hold(conn, order_id, actor=caller.actor, at=at, note=note))

    return answer_write(write, act)


@router.post("/{order_id}/rejection", response_model=HoldOut)
def post_rejection(order_id: str, caller: CallerDep, write: WriteDep, at: At, body: Look | None = None) -> JSONResponse:
    """Take the commission back; the sale itself stands."""
    require_role(caller, Role.OPERATOR)
    note = body.note if body else None

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, HoldOut.model_validate(reject_hold(conn, order_id, actor=caller.actor, at=at, note=note))

    return answer_write(write, act)
