"""`/v1/event-quarantine`: calls that could not be taken as events: found, and taken after all."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.event_quarantine import ReplayedOut, SetAsideGroupOut, SetAsideOut, show_set_aside
from api.visible.roles import require_role
from events.quarantine.nouns import Filter
from events.quarantine.store import select_set_aside, select_set_aside_groups
from millpond.kernel.db import WriteConnection
from offers.taking.replay import replay_set_aside

router = APIRouter(prefix="/v1/event-quarantine", tags=["events"])

_AT_ONCE = 500
Word = Annotated[str | None, Query(max_length=300)]


class NewReplay(Body):
    """Which calls that wait are taken after all, oldest first; a dry run says what would become of them."""

    reason: Text | None = None
    source: Text | None = None
    name: Text | None = None
    after: Annotated[int, Field(ge=0, description="`next_after` of the answer before.")] = 0
    most: Annotated[int, Field(ge=1, le=_AT_ONCE)] = _AT_ONCE
    dry_run: bool = False


@router.get("", response_model=Page[SetAsideOut])
def get_set_aside(
    reads: Reads,
    caller: CallerDep,
    reason: Word = None,
    source: Word = None,
    name: Word = None,
    replayed: Annotated[bool, Query(description="Show what was taken after all, too.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SetAsideOut]:
    """What could not be taken and why, newest first."""
    require_role(caller, Role.OPERATOR)
    chosen = Filter(_plain(reason), _plain(source), _plain(name), replayed)
    before = decode_time_cursor(cursor, int)
    with reads.connection() as conn:
        rows = select_set_aside(conn, chosen, before=before, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.first_at.isoformat(), row.quarantine_id))
    return Page(items=[show_set_aside(row) for row in shown], next_cursor=following)


def _plain(word: str | None) -> str | None:
    return None if word is None else word.replace("\x00", "")


@router.get("/groups", response_model=Page[SetAsideGroupOut])
def get_set_aside_groups(reads: Reads, caller: CallerDep) -> Page[SetAsideGroupOut]:
    """What waits by its reason, its source and its event, most first."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        groups = select_set_aside_groups(conn)
    return Page(items=[SetAsideGroupOut.model_validate(group) for group in groups])


@router.post("/replays", response_model=ReplayedOut)
def post_replay(body: NewReplay, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Take calls after all, once the plan was mended or the order has come: up to 500. Twice changes nothing."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        done = replay_set_aside(
            conn,
            Filter(body.reason, body.source, body.name),
            edge.event_terms,
            at=at,
            after=body.after,
            most=body.most,
            dry_run=body.dry_run,
            ceilings=edge.ceilings,
        )
        return 200, ReplayedOut(taken=done.taken, refused=done.refused, dry_run=body.dry_run, next_after=done.last)

    return answer_write(write, act)
