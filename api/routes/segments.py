"""`/v1/segments`: what customers have in common, as conditions, and who is a member."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.paging import Cursor, Limit, Page, after_id, cut_page, encode_cursor
from api.told.segments import MemberOut, PreviewOut, SegmentOut
from api.visible.roles import require_role
from customers.audit.entries import record_audit_of
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from segments.conditions.reading import SEGMENT_ID
from segments.conditions.schema import condition_schema
from segments.defining import define_segment, prepare_condition
from segments.previewing import Bounds, preview_condition
from segments.store import select_members, select_segment, select_segments

router = APIRouter(prefix="/v1/segments", tags=["segments"])
Condition = Annotated[
    dict[str, Any], Field(description="As `GET /v1/segments/schema` says; docs/segments.md has every field.")
]


class NewSegment(Body):
    """A segment, or another condition for one that you made. Its members are found by the next refresh."""

    segment_id: Annotated[str, Field(pattern=SEGMENT_ID, description="Its name: small letters, digits, underscores.")]
    title: Text
    condition: Condition


class ConditionToTry(Body):
    """A condition, to see whom it fits."""

    condition: Condition


@router.get("", response_model=Page[SegmentOut])
def get_segments(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[SegmentOut]:
    """All segments by name, those that ship and your own, with their newest size."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_segments(conn, after=after_id(cursor), limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda segment: encode_cursor(segment.segment_id))
    return Page(items=[SegmentOut.model_validate(row) for row in shown], next_cursor=following)


@router.get("/schema")
def get_schema(caller: CallerDep) -> dict[str, Any]:
    """The JSON Schema of conditions."""
    require_role(caller, Role.OPERATOR)
    return condition_schema()


@router.post("", status_code=201, response_model=SegmentOut)
def post_segment(body: NewSegment, caller: CallerDep, write: WriteDep, edge: EdgeDep, at: At) -> JSONResponse:
    """Make a segment, or give one of yours another condition. One that would look at too much is refused."""
    require_role(caller, Role.OPERATOR)
    bounds = Bounds.from_settings(edge.settings)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        title = {"en": body.title}
        define_segment(conn, body.segment_id, title=title, said=body.condition, at=at, bounds=bounds)
        record_audit_of(
            conn,
            actor=caller.actor,
            action="defined_segment",
            customer_ids=[None],
            because="operator",
            detail={"segment": body.segment_id},
            at=at,
        )
        return 201, SegmentOut.model_validate(select_segment(conn, body.segment_id))

    return answer_write(write, act)


@router.post("/preview", response_model=PreviewOut)
def post_preview(body: ConditionToTry, caller: CallerDep, write: WriteDep, edge: EdgeDep, at: At) -> JSONResponse:
    """How many customers a condition fits, and some of them; nothing is kept. Whom you were shown is in the audit log.

    Counted are customers as the last refresh knew them; shown are those alone who agree this very moment.
    """
    require_role(caller, Role.OPERATOR)
    bounds = Bounds.from_settings(edge.settings)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        ready = prepare_condition(select_segments(conn), body.condition)
        preview = preview_condition(conn, ready.compiled, ready.needs, at=at, bounds=bounds, actor=caller.actor)
        return 200, PreviewOut.model_validate(preview)

    return answer_write(write, act)


@router.get("/{segment_id}/members", response_model=Page[MemberOut])
def get_members(
    segment_id: str, caller: CallerDep, edge: EdgeDep, at: At, limit: Limit = 50, cursor: Cursor = None
) -> Page[MemberOut]:
    """Who is in a segment now and agrees to what it needs, by id. Whom you were shown is in the audit log.

    A page may be short, or empty, where members do not agree any more; `next_cursor` says whether there are others.
    """
    require_role(caller, Role.OPERATOR)
    with edge.writes.connection() as conn, conn.transaction():
        select_segment(conn, segment_id)
        members, last = select_members(conn, segment_id, at=at, after=after_id(cursor), limit=limit)
        shown: list[CustomerId | None] = [member.customer_id for member in members]
        record_audit_of(
            conn,
            actor=caller.actor,
            action="seen_in_segment",
            customer_ids=shown,
            because="operator",
            detail={"segment": segment_id},
            at=at,
        )
    following = encode_cursor(last) if last else None
    return Page(items=[MemberOut.model_validate(member) for member in members], next_cursor=following)
