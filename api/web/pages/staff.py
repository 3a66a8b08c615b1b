"""`/staff`: my code, my customers with their open offers, my statement, for a staff member."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.auth import Caller, Role
from api.edge import EdgeDep, Reads
from api.paging import Cursor, cut_page, decode_cursor, encode_cursor
from api.qr import draw_png, draw_svg
from api.told.offers import OfferOut, tell_offer
from api.told.staff import badge_url, issue_screen_code
from api.told.statements import Month, parse_month
from api.visible.looks import note_looks
from api.visible.staff import employed_staff, own_staff
from api.web.charts import build_statement_chart
from api.web.session import SameOrigin, require_caller
from api.web.view import View, make_english_view
from api.web.words import Speech, find_zone
from attribution.nouns import Staff, Store
from attribution.people import select_store
from attribution.statements.customers import select_bound_customers
from attribution.statements.month import build_statement
from attribution.statements.nouns import BoundCustomer, Statement, StatementTotals
from customers.consent import consents_in_force
from customers.nouns import Purpose
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.money import DECIMALS
from offers.showing import show_open_offers


def _staff_only(request: Request) -> None:
    require_caller(request, Role.STAFF)


router = APIRouter(prefix="/staff", include_in_schema=False, dependencies=[Depends(_staff_only)])

_CUSTOMERS_A_PAGE = 20


@dataclass(frozen=True, slots=True)
class OfferLine:
    """An offer, and its last day as its customer reads it: it ends at a midnight of theirs, not of the shop's."""

    offer: OfferOut
    last_day: str


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """A customer of mine and what is offered to them now, if they agree that I contact them about it."""

    customer: BoundCustomer
    agrees: bool
    offers: list[OfferLine]


@router.get("")
def get_staff(request: Request, reads: Reads, month: Month = None, cursor: Cursor = None) -> Response:
    """The whole page."""
    with reads.connection() as conn:
        staff, store, view = _open_page(request, conn)
        works_here = staff.employed_at(view.at)
        cards, following = _read_customers(conn, staff, view, cursor) if works_here else ([], None)
        statement = build_statement(conn, staff.staff_id, parse_month(month, view.at, store.time_zone))
    charts = [(totals, _chart(statement, totals)) for totals in statement.totals]
    return view.render(
        "staff.html",
        staff=staff,
        store=store,
        works_here=works_here,
        cards=cards,
        following=following,
        statement=statement,
        charts=charts,
    )


@router.get("/code.svg")
def get_code_svg(request: Request, reads: Reads, edge: EdgeDep) -> Response:
    """My code for the page."""
    with reads.connection() as conn:
        staff, _ = _find_me(request, conn)
    return Response(draw_svg(badge_url(edge, staff)), media_type="image/svg+xml")


@router.get("/code.png")
def get_code_png(request: Request, reads: Reads, edge: EdgeDep) -> Response:
    """My code to print."""
    with reads.connection() as conn:
        staff, _ = _find_me(request, conn)
    headers = {"Content-Disposition": f'attachment; filename="{staff.staff_id}.png"'}
    return Response(draw_png(badge_url(edge, staff)), media_type="image/png", headers=headers)


@router.post("/fresh-code", dependencies=[SameOrigin])
def post_fresh_code(request: Request, reads: Reads, edge: EdgeDep) -> Response:
    """A code for this screen, one customer and a short time; nothing is stored, so it needs no key."""
    with reads.connection() as conn:
        staff, view = _find_me(request, conn)
    code = issue_screen_code(edge, staff, view.at)
    assert code.expires_at is not None  # Codes for a screen always expire.
    # The platform's clock may run faster than the screen's, so the page never waits longer than a real minute.
    refresh_s = max(5, min(55, round((code.expires_at - view.at).total_seconds()) - 5))
    picture = _inline(draw_svg(code.url))
    return view.render(
        "fresh_code.html", picture=picture, url=code.url, expires_at=code.expires_at, refresh_s=refresh_s
    )


def _find_me(request: Request, conn: ReadConnection) -> tuple[Staff, View]:
    """Whose code is asked for; NotFound for who has left."""
    staff, _, view = _open_page(request, conn)
    return employed_staff(conn, require_caller(request, Role.STAFF), staff.staff_id, view.at), view


def _open_page(request: Request, conn: ReadConnection) -> tuple[Staff, Store, View]:
    """Who works here and where, and the view in the shop's own time zone."""
    caller: Caller = require_caller(request, Role.STAFF)
    staff = own_staff(conn, caller)
    store = select_store(conn, staff.store_id)
    assert store is not None  # A foreign key says so.
    return staff, store, make_english_view(request, find_zone(store.time_zone))


def _read_customers(
    conn: ReadConnection, staff: Staff, view: View, cursor: str | None
) -> tuple[list[CustomerCard], str | None]:
    after = CustomerId(decode_cursor(cursor, str)[0]) if cursor else None
    rows = select_bound_customers(conn, staff.staff_id, at=view.at, after=after, limit=_CUSTOMERS_A_PAGE + 1)
    shown, following = cut_page(rows, _CUSTOMERS_A_PAGE, lambda row: encode_cursor(row.customer_id))
    if view.caller:
        note_looks(view.caller, shown, because="bound_staff")
    agreed = consents_in_force(conn, [row.customer_id for row in shown], view.at)
    cards = [
        CustomerCard(row, agrees, _read_offers(conn, row.customer_id, view) if agrees else [])
        for row in shown
        for agrees in [Purpose.STAFF_CONTACT in agreed[row.customer_id]]
    ]
    return cards, following


def _read_offers(conn: ReadConnection, customer_id: CustomerId, view: View) -> list[OfferLine]:
    return [
        OfferLine(
            tell_offer(shown, "en"), Speech("en", find_zone(shown.time_zone)).last_day(shown.offer.reply_by, view.at)
        )
        for shown in show_open_offers(conn, customer_id, at=view.at)
    ]


def _chart(statement: Statement, totals: StatementTotals) -> dict[str, Any]:
    scale = 10 ** DECIMALS.get(totals.currency, 2)
    zone = find_zone(statement.time_zone)
    begins_at, ends_at = statement.begins_at.astimezone(zone), statement.ends_at.astimezone(zone)
    return build_statement_chart(statement.lines, totals.currency, begins_at, ends_at, scale)


def _inline(svg: bytes) -> str:
    """The picture as a `data:` address, so that the browser needs no second request for it."""
    return "data:image/svg+xml;base64," + b64encode(svg).decode()
