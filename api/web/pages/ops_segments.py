"""`/ops/segments`: segments with their sizes over time, and an editor that tries a condition before it is kept."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Role
from api.edge import At, EdgeDep, Reads
from api.models import Out
from api.told.segments import SegmentOut
from api.web.charts import build_size_chart
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.view import make_english_view
from customers.audit.entries import record_audit_of
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from segments.conditions.fields import FIELDS, OPERATORS
from segments.defining import define_segment, prepare_condition
from segments.nouns import Segment
from segments.previewing import Bounds, Preview, preview_condition
from segments.store import select_segment, select_segments, select_sizes

router = APIRouter(prefix="/ops/segments", include_in_schema=False)
_SHOWN_OF = timedelta(days=90)
_EXAMPLE = {"and": [{"field": "orders", "op": ">=", "value": 2}, {"bought": {"category": "filter", "within_days": 90}}]}
JsonText = Annotated[str, Form(max_length=20_000)]


@router.get("")
def get_segments_page(
    request: Request, reads: Reads, at: At, shown: Annotated[str, Query(max_length=63)] = ""
) -> Response:
    """Every segment with its size; of the one that is `shown` its sizes over time, and its condition in the editor."""
    require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        segments = select_segments(conn)
        one = select_segment(conn, shown) if shown else None
        sizes = select_sizes(conn, shown, since=at - _SHOWN_OF) if one else []
    said = json.dumps(one.condition if one else _EXAMPLE, indent=2, ensure_ascii=False)
    return _render(request, segments, one=one, chart=build_size_chart(sizes), said=said)


@router.post("/preview", dependencies=[SameOrigin])
def post_preview(request: Request, edge: EdgeDep, at: At, condition: JsonText = "") -> Response:
    """The page with whom the condition fits, or with what is wrong with it."""
    caller = require_caller(request, Role.OPERATOR)
    preview: Preview | None = None
    wrong, status = "", 200
    with edge.writes.connection() as conn, conn.transaction():
        segments = select_segments(conn)
        try:
            ready = prepare_condition(segments, _parse(condition))
            bounds = Bounds.from_settings(edge.settings)
            preview = preview_condition(conn, ready.compiled, ready.needs, at=at, bounds=bounds, actor=caller.actor)
        except InvalidInput as error:
            wrong, status = str(error), 422
    return _render(request, segments, status=status, preview=preview, wrong=wrong, said=condition)


@router.post("/new", dependencies=[SameOrigin])
def post_segment(
    request: Request,
    edge: EdgeDep,
    segment_id: Annotated[str, Form(max_length=63)] = "",
    title: Annotated[str, Form(max_length=200)] = "",
    condition: JsonText = "",
    key: FormKey = None,
) -> Response:
    """Keep it, and on to its sizes."""
    caller = require_caller(request, Role.OPERATOR)
    write, said, named = make_page_write(request, caller, key), _parse(condition), {"en": title.strip() or segment_id}

    def act(conn: WriteConnection) -> tuple[int, Out]:
        bounds = Bounds.from_settings(edge.settings)
        define_segment(conn, segment_id, title=named, said=said, at=write.at, bounds=bounds)
        record_audit_of(
            conn,
            actor=caller.actor,
            action="defined_segment",
            customer_ids=[None],
            because="operator",
            detail={"segment": segment_id},
            at=write.at,
        )
        return 200, SegmentOut.model_validate(select_segment(conn, segment_id))

    write.run(act)
    return RedirectResponse(f"/ops/segments?shown={segment_id}", 303)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"/: this is no JSON: {str(error)[:200]}") from error


def _render(
    request: Request,
    segments: list[Segment],
    *,
    said: str,
    status: int = 200,
    one: Segment | None = None,
    chart: Mapping[str, Any] | None = None,
    preview: Preview | None = None,
    wrong: str = "",
) -> Response:
    fields = [(name, field, " ".join(OPERATORS[field.kind])) for name, field in FIELDS.items()]
    told = {"segments": segments, "one": one, "chart": chart, "preview": preview, "wrong": wrong, "said": said}
    return make_english_view(request).render("ops_segments.html", status, fields=fields, **told)
