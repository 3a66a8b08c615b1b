"""`/v1/quarantine`: what was refused, found, looked at, mended and stored after all."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, LongText, Out, Text, Time
from api.paging import Cursor, Limit, Page, cut_page, decode_time_cursor, encode_cursor
from api.told.quarantine import (
    MendedOut,
    RefusedDetail,
    RefusedGroupOut,
    RefusedOut,
    RetriedOut,
    show_item,
    show_mended,
    show_message,
    show_retried,
)
from api.visible.roles import require_role
from ingest.storing.retry import RetrySummary, retry_quarantine
from ingest.storing.retry_store import Chosen
from ingest.storing.terms import Terms
from ingest.workbench.mending import mend_message, read_message, require_message, retry_one
from ingest.workbench.nouns import Filter
from ingest.workbench.store import select_edits, select_items_of_message, select_refused_groups, select_refused_items
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput

router = APIRouter(prefix="/v1/quarantine", tags=["ingest"])

_AT_ONCE = 500
_ENCODED_MAX = 2_000_000
Word = Annotated[str | None, Query(max_length=300)]


class NewRetry(Body):
    """All messages of which something was refused with `code`: of a model, of a device, or of all; oldest first."""

    code: Text
    model: Text | None = None
    serial: Annotated[str | None, Field(min_length=1, max_length=300)] = None
    most: Annotated[int, Field(ge=1, le=_AT_ONCE)] = _AT_ONCE
    cursor: Annotated[str | None, Field(max_length=400, description="`next_cursor` of the answer before.")] = None
    dry_run: bool = False


class Retry(Body):
    """A dry run says what would become of it."""

    dry_run: bool = False


class NewEdit(Body):
    """What the message should have been: `payload` as text, or its bytes; and the topic, where that was wrong."""

    payload: Annotated[str | None, Field(max_length=_ENCODED_MAX)] = None
    payload_base64: Annotated[str | None, Field(max_length=_ENCODED_MAX)] = None
    topic: Text | None = None
    note: LongText | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.payload is None) == (self.payload_base64 is None):
            raise ValueError("say payload or payload_base64, one of the two")
        return self

    def to_bytes(self) -> bytes:
        """The mended payload. Raises InvalidInput when it is no base64."""
        if self.payload is not None:
            return self.payload.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(self.payload_base64 or "", validate=True)
        except binascii.Error as error:
            raise InvalidInput("payload_base64: it is no base64") from error


@router.get("", response_model=Page[RefusedOut])
def get_quarantine(
    reads: Reads,
    caller: CallerDep,
    code: Word = None,
    model: Word = None,
    serial: Word = None,
    topic: Annotated[str | None, Query(max_length=300, description="Only of topics that begin so.")] = None,
    since: Annotated[Time | None, Query(alias="from")] = None,
    until: Annotated[Time | None, Query(alias="to")] = None,
    stored: Annotated[bool, Query(description="Show what was stored after all, too.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RefusedOut]:
    """What was refused and why, newest first."""
    require_role(caller, Role.OPERATOR)
    chosen = Filter(_plain(code), _plain(model), _plain(serial), _plain(topic), since, until, stored)
    before = decode_time_cursor(cursor, int)
    with reads.connection() as conn:
        rows = select_refused_items(conn, chosen, before=before, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.received_at.isoformat(), row.quarantine_id))
    return Page(items=[show_item(row) for row in shown], next_cursor=following)


def _plain(word: str | None) -> str | None:
    return None if word is None else word.replace("\x00", "")


@router.get("/groups", response_model=Page[RefusedGroupOut])
def get_groups(reads: Reads, caller: CallerDep) -> Page[RefusedGroupOut]:
    """What is refused, by its reason and its device's model, most first."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        groups = select_refused_groups(conn)
    return Page(items=[RefusedGroupOut.model_validate(group) for group in groups])


@router.get("/{quarantine_id}", response_model=RefusedDetail)
def get_refused(quarantine_id: str, reads: Reads, caller: CallerDep, edge: EdgeDep) -> RefusedDetail:
    """One refused item's message: its bytes, where they break, and how it is read now."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        message = require_message(conn, quarantine_id)
        read = read_message(conn, message, Terms.from_settings(edge.settings))
        return show_message(message, select_items_of_message(conn, message), read, select_edits(conn, message))


@router.post("/retries", response_model=RetriedOut)
def post_retries(body: NewRetry, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Store them again, as of when they came: up to 500 messages, and with `next_cursor` those that follow."""
    require_role(caller, Role.OPERATOR)
    after = decode_time_cursor(body.cursor, int)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        chosen, terms = Chosen(body.code, body.model, _plain(body.serial)), Terms.from_settings(edge.settings)
        summary = retry_quarantine(conn, chosen, terms, at=at, after=after, most=body.most, dry_run=body.dry_run)
        return 200, show_retried(summary, dry_run=body.dry_run, following=_following(summary, body.most))

    return answer_write(write, act)


def _following(summary: RetrySummary, most: int) -> str | None:
    if summary.messages < most or summary.last is None:
        return None
    at, number = summary.last
    return encode_cursor(at.isoformat(), number)


@router.post("/{quarantine_id}/retry", response_model=RetriedOut)
def post_retry(
    quarantine_id: str, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At, body: Retry | None = None
) -> JSONResponse:
    """Store one refused item's message again, whatever of it was refused."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        terms = Terms.from_settings(edge.settings)
        dry_run = body is not None and body.dry_run
        summary = retry_one(conn, quarantine_id, terms, at=at, dry_run=dry_run)
        return 200, show_retried(summary, dry_run=dry_run)

    return answer_write(write, act)


@router.post("/{quarantine_id}/edits", response_model=MendedOut)
def post_edit(
    quarantine_id: str, body: NewEdit, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At
) -> JSONResponse:
    """Store it as mended, under the time at which it came; the message as it came stays, with who mended it."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, _mend(conn, quarantine_id, body, Terms.from_settings(edge.settings), at, caller.actor)

    return answer_write(write, act)


def _mend(conn: WriteConnection, quarantine_id: str, body: NewEdit, terms: Terms, at: datetime, by: str) -> MendedOut:
    mended = mend_message(
        conn,
        quarantine_id,
        terms,
        payload=body.to_bytes(),
        topic=body.topic,
        note=body.note,
        at=at,
        by=by,
        dry_run=body.dry_run,
    )
    return show_mended(mended, dry_run=body.dry_run)
