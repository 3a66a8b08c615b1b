"""`/ops/quarantine`: what was refused, by its reasons; one message, where it breaks, and mending it."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Role
from api.edge import At, EdgeDep, Reads
from api.models import Out
from api.paging import Cursor, cut_page, decode_time_cursor, encode_cursor
from api.told.quarantine import show_mended, show_retried
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.view import make_english_view
from ingest.storing.retry import retry_quarantine
from ingest.storing.retry_store import Chosen, KeptMessage
from ingest.storing.terms import Terms
from ingest.workbench.alarm import check_rate
from ingest.workbench.dump import dump_rows, find_break
from ingest.workbench.mending import mend_message, read_message, require_message, retry_one
from ingest.workbench.nouns import Filter
from ingest.workbench.store import select_edits, select_items_of_message, select_refused_groups, select_refused_items
from millpond.kernel.db import ReadConnection, WriteConnection

router = APIRouter(prefix="/ops/quarantine", include_in_schema=False)

_A_PAGE, _AT_ONCE = 25, 500
Asked = Annotated[str, Query(max_length=300)]
Words = Annotated[str, Form(max_length=300)]


@router.get("")
def get_quarantine(
    request: Request,
    reads: Reads,
    edge: EdgeDep,
    at: At,
    code: Asked = "",
    model: Asked = "",
    serial: Asked = "",
    topic: Asked = "",
    cursor: Cursor = None,
) -> Response:
    """What was refused and why, newest first, and all of it by reason and model."""
    require_caller(request, Role.OPERATOR)
    words = {"code": code, "model": model, "serial": serial, "topic": topic}
    asked: dict[str, Any] = {name: plain for name, text in words.items() if (plain := text.replace("\x00", "").strip())}
    before = decode_time_cursor(cursor, int)
    with reads.connection() as conn:
        rows = select_refused_items(conn, Filter(**asked), limit=_A_PAGE + 1, before=before)
        groups = select_refused_groups(conn)
        rate = check_rate(conn, edge.settings.quarantine_alarm_items_per_h, at)
    shown, following = cut_page(
        rows, _A_PAGE, lambda row: encode_cursor(row.received_at.isoformat(), row.quarantine_id)
    )
    told: dict[str, Any] = {"items": shown, "following": following, "groups": groups, "rate": rate, "asked": asked}
    return make_english_view(request).render("ops_quarantine.html", **told, query=urlencode(asked))


@router.post("/retries", dependencies=[SameOrigin])
def post_retries(request: Request, edge: EdgeDep, code: Words = "", model: Words = "", key: FormKey = None) -> Response:
    """Store all of a reason and model again, 500 messages at a time, and back to what is left."""
    caller = require_caller(request, Role.OPERATOR)
    write, terms = make_page_write(request, caller, key), Terms.from_settings(edge.settings)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        summary = retry_quarantine(conn, Chosen(code, model or None), terms, at=write.at, most=_AT_ONCE)
        return 200, show_retried(summary, dry_run=False)

    write.run(act)
    return RedirectResponse(f"/ops/quarantine?{urlencode({'code': code, 'model': model})}", 303)


@router.get("/{quarantine_id}")
def get_refused(request: Request, quarantine_id: str, reads: Reads, edge: EdgeDep) -> Response:
    """One refused item's message: its bytes, how it is read now, and the form to mend it."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        message = require_message(conn, quarantine_id)
        told = _tell(conn, message, Terms.from_settings(edge.settings))
    return make_english_view(request).render("ops_refused.html", number_of_item=quarantine_id, **told)


def _tell(conn: ReadConnection, message: KeptMessage, terms: Terms) -> dict[str, Any]:
    broken = find_break(message.payload)
    return {
        "message": message,
        "text": message.payload.decode("utf-8", "replace"),
        "rows": dump_rows(message.payload, broken),
        "broken": broken,
        "read": read_message(conn, message, terms),
        "items": select_items_of_message(conn, message),
        "edits": select_edits(conn, message),
    }


@router.post("/{quarantine_id}/retry", dependencies=[SameOrigin])
def post_retry(request: Request, quarantine_id: str, edge: EdgeDep, key: FormKey = None) -> Response:
    """Store it again as it came, and back to it."""
    caller = require_caller(request, Role.OPERATOR)
    write, terms = make_page_write(request, caller, key), Terms.from_settings(edge.settings)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, show_retried(retry_one(conn, quarantine_id, terms, at=write.at, dry_run=False), dry_run=False)

    write.run(act)
    return RedirectResponse(f"/ops/quarantine/{quarantine_id}", 303)


@router.post("/{quarantine_id}/edits", dependencies=[SameOrigin])
def post_edit(
    request: Request,
    quarantine_id: str,
    edge: EdgeDep,
    payload: Annotated[str, Form(max_length=1_000_000)] = "",
    topic: Words = "",
    note: Words = "",
    key: FormKey = None,
) -> Response:
    """Store it as mended, and back to it."""
    caller = require_caller(request, Role.OPERATOR)
    write, terms = make_page_write(request, caller, key), Terms.from_settings(edge.settings)
    # A browser sends every end of a line as two characters.
    mended = payload.replace("\r\n", "\n").encode("utf-8", "replace")
    said: dict[str, Any] = {"payload": mended, "topic": topic.strip() or None, "note": note.strip() or None}

    def act(conn: WriteConnection) -> tuple[int, Out]:
        done = mend_message(conn, quarantine_id, terms, **said, at=write.at, by=caller.actor)
        return 200, show_mended(done, dry_run=False)

    write.run(act)
    return RedirectResponse(f"/ops/quarantine/{quarantine_id}", 303)
