"""Staff members: their code, a fresh token of it, and their statement."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from api.credit import find_employed_staff, find_visible_staff
from api.edge import At, CallerDep, Edge, EdgeDep, Reads, WriteDep, answer_once
from api.models import MoneyOut, Out
from api.qr import build_scan_url, draw_png, draw_svg
from attribution.hold_nouns import HoldDecision
from attribution.nouns import Channel, Staff
from attribution.people import select_store
from attribution.statements import build_statement
from attribution.tokens import decode_staff_token, issue_badge_token, issue_screen_token
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput

router = APIRouter(prefix="/v1/staff", tags=["staff"])

Month = Annotated[str | None, Query(description="YYYY-MM; without one, or empty: the store's month of now.")]
_MONTH = re.compile(r"(19[7-9]|20[0-9]|21[0-9])[0-9]-(0[1-9]|1[0-2])")


class ScreenCode(Out):
    """A code for a screen: one customer, until `expires_at`."""

    token: str
    url: str
    expires_at: datetime | None


class StatementLineOut(Out):
    """One order with what it moved within the month.

    `held`: the commission waits for an operator's look; `decision` is what that came to.
    """

    order_id: str
    customer_id: str
    customer_name: str
    channel: Channel
    store_id: str | None
    placed_at: datetime
    amount: MoneyOut
    refunded: MoneyOut
    earned: MoneyOut
    clawed_back: MoneyOut
    released: MoneyOut
    held: bool
    decision: HoldDecision | None


class StatementTotalsOut(Out):
    """One currency's month, and what is pending and payable at its end."""

    currency: str
    orders: int
    earned: MoneyOut
    clawed_back: MoneyOut
    released: MoneyOut
    paid_out: MoneyOut
    pending: MoneyOut
    payable: MoneyOut


class StatementOut(Out):
    """A month, `[begins_at, ends_at)` in the time zone of the person's store: orders and the commission on them."""

    staff_id: str
    month: date
    time_zone: str
    begins_at: datetime
    ends_at: datetime
    lines: list[StatementLineOut]
    totals: list[StatementTotalsOut]


@router.get(
    "/{staff_id}/qr", response_class=Response, responses={200: {"content": {"image/svg+xml": {}, "image/png": {}}}}
)
def get_qr(staff_id: str, request: Request, reads: Reads, edge: EdgeDep, caller: CallerDep, at: At) -> Response:
    """The personal code to print: PNG for who accepts that and no SVG, SVG for all others."""
    accept = request.headers.get("accept", "")
    draw = get_qr_png if "image/png" in accept and "image/svg+xml" not in accept else get_qr_svg
    return draw(staff_id, reads, edge, caller, at)


@router.get("/{staff_id}/qr.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}}})
def get_qr_svg(staff_id: str, reads: Reads, edge: EdgeDep, caller: CallerDep, at: At) -> Response:
    """The personal code to print, as SVG."""
    with reads.connection() as conn:
        staff = find_employed_staff(conn, caller, staff_id, at)
    return Response(draw_svg(badge_url(edge, staff)), media_type="image/svg+xml")


@router.get("/{staff_id}/qr.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_qr_png(staff_id: str, reads: Reads, edge: EdgeDep, caller: CallerDep, at: At) -> Response:
    """The personal code to print, as PNG."""
    with reads.connection() as conn:
        staff = find_employed_staff(conn, caller, staff_id, at)
    return Response(draw_png(badge_url(edge, staff)), media_type="image/png")


@router.post("/{staff_id}/qr-tokens", status_code=201, response_model=ScreenCode)
def post_qr_token(staff_id: str, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """A fresh code for a screen, which binds one customer while it lasts."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, issue_screen_code(edge, find_employed_staff(conn, caller, staff_id, at), at)

    return answer_once(write, act)


@router.get("/{staff_id}/statement", response_model=StatementOut)
def get_statement(staff_id: str, reads: Reads, caller: CallerDep, at: At, month: Month = None) -> StatementOut:
    """Orders, and the commission earned, clawed back and payable, in one month."""
    with reads.connection() as conn:
        staff = find_visible_staff(conn, caller, staff_id)
        store = select_store(conn, staff.store_id)
        assert store is not None  # A foreign key says so.
        statement = build_statement(conn, staff.staff_id, parse_month(month, at, store.time_zone))
    return StatementOut.model_validate(statement)


def parse_month(month: str | None, at: datetime, time_zone: str) -> date:
    """The first day of `YYYY-MM`, or of the month that `at` lies in there; InvalidInput for anything else."""
    if not month:
        return at.astimezone(ZoneInfo(time_zone)).date().replace(day=1)
    if not _MONTH.fullmatch(month):
        raise InvalidInput("month: write it as 2026-11")
    return date.fromisoformat(f"{month}-01")


def badge_url(edge: Edge, staff: Staff) -> str:
    """What a printed badge of this person leads to."""
    return build_scan_url(edge.settings.public_url, issue_badge_token(edge.staff_keys, staff))


def issue_screen_code(edge: Edge, staff: Staff, at: datetime) -> ScreenCode:
    """A code of this person for a screen, good from `at` for as long as the settings say."""
    lifetime = timedelta(seconds=edge.settings.screen_code_s)
    token = issue_screen_token(edge.staff_keys, staff, at=at, lifetime=lifetime)
    expires_at = decode_staff_token(edge.staff_keys, token, at=at).expires_at
    return ScreenCode(token=token, url=build_scan_url(edge.settings.public_url, token), expires_at=expires_at)
