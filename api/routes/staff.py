"""`/v1/staff`: people who sell: employing them, their codes, their statement, and paying them."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.paging import Cursor, Limit, Page, after_id, page_by_id
from api.qr import draw_png, draw_svg
from api.told.staff import PayoutOut, PayoutsOut, ScreenCode, StaffOut, badge_url, issue_screen_code
from api.told.statements import Month, StatementOut, parse_month
from api.visible.customers import named_customer
from api.visible.roles import require_role
from api.visible.staff import employed_staff, visible_staff
from attribution.people import end_employment, register_staff, select_staff, select_store, void_badge
from attribution.release import pay_out
from attribution.statements.month import build_statement
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import StaffId, StoreId

router = APIRouter(prefix="/v1/staff")


class NewStaff(Body):
    """A person who sells; `customer_id` is their own customer account, so that they cannot credit themselves."""

    store_id: Text
    name: Text
    customer_id: Text | None = None


@router.post("", status_code=201, response_model=StaffOut, tags=["registers"])
def post_staff(body: NewStaff, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Employ a staff member."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        own = named_customer(conn, body.customer_id) if body.customer_id else None
        staff = register_staff(conn, store_id=StoreId(body.store_id), name=body.name, customer_id=own, at=at)
        return 201, StaffOut.model_validate(staff)

    return answer_write(write, act)


@router.get("", response_model=Page[StaffOut], tags=["registers"])
def get_staff(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[StaffOut]:
    """All staff members, those who left too, by id."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_staff(conn, after=after_id(cursor), limit=limit + 1)
    return page_by_id(rows, limit, StaffOut, "staff_id")


@router.post("/{staff_id}/departure", response_model=StaffOut, tags=["registers"])
def post_departure(staff_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The person leaves now: their codes bind nobody any more; customers stay credited until they are handed over."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, StaffOut.model_validate(end_employment(conn, StaffId(staff_id), at=at))

    return answer_write(write, act)


@router.post("/{staff_id}/badges", status_code=201, response_model=StaffOut, tags=["registers"])
def post_badge(staff_id: str, caller: CallerDep, write: WriteDep) -> JSONResponse:
    """The printed badge was lost: void it and issue the next, which `GET /v1/staff/{id}/qr` shows."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, StaffOut.model_validate(void_badge(conn, StaffId(staff_id)))

    return answer_write(write, act)


@router.get(
    "/{staff_id}/qr",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}, "image/png": {}}}},
    tags=["staff"],
)
def get_qr(staff_id: str, request: Request, reads: Reads, edge: EdgeDep, caller: CallerDep, at: At) -> Response:
    """The personal code to print: PNG for who accepts that and no SVG, SVG for all others."""
    accept = request.headers.get("accept", "")
    draw = get_qr_png if "image/png" in accept and "image/svg+xml" not in accept else get_qr_svg
    return draw(staff_id, reads, edge, caller, at)


@router.get(
    "/{staff_id}/qr.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}}}, tags=["staff"]
)
def get_qr_svg(staff_id: str, reads: Reads, edge: EdgeDep, caller: CallerDep, at: At) -> Response:
    """The personal code to print, as SVG."""
    with reads.connection() as conn:
        staff = employed_staff(conn, caller, staff_id, at)
    return Response(draw_svg(badge_url(edge, staff)), media_type="image/svg+xml")


@router.get(
    "/{staff_id}/qr.png", response_class=Response, responses={200: {"content": {"image/png": {}}}}, tags=["staff"]
)
def get_qr_png(staff_id: str, reads: Reads, edge: EdgeDep, caller: CallerDep, at: At) -> Response:
    """The personal code to print, as PNG."""
    with reads.connection() as conn:
        staff = employed_staff(conn, caller, staff_id, at)
    return Response(draw_png(badge_url(edge, staff)), media_type="image/png")


@router.post("/{staff_id}/qr-tokens", status_code=201, response_model=ScreenCode, tags=["staff"])
def post_qr_token(staff_id: str, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """A fresh code for a screen, which binds one customer while it lasts."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, issue_screen_code(edge, employed_staff(conn, caller, staff_id, at), at)

    return answer_write(write, act)


@router.get("/{staff_id}/statement", response_model=StatementOut, tags=["staff"])
def get_statement(staff_id: str, reads: Reads, caller: CallerDep, at: At, month: Month = None) -> StatementOut:
    """Orders, and the commission earned, clawed back and payable, in one month."""
    with reads.connection() as conn:
        staff = visible_staff(conn, caller, staff_id)
        store = select_store(conn, staff.store_id)
        assert store is not None  # A foreign key says so.
        statement = build_statement(conn, staff.staff_id, parse_month(month, at, store.time_zone))
    return StatementOut.model_validate(statement)


@router.post("/{staff_id}/payouts", status_code=201, response_model=PayoutsOut, tags=["staff"])
def post_payout(staff_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Pay all that is available to a person, for operators; 409 when that is nothing."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        staff = visible_staff(conn, caller, staff_id)
        payouts = pay_out(conn, staff.staff_id, at=at)
        if not payouts:
            raise Conflict(f"nothing is available to pay out to {staff.name}")
        return 201, PayoutsOut(items=[PayoutOut.model_validate(payout) for payout in payouts])

    return answer_write(write, act)
