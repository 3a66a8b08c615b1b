"""`/v1/customers`: the customers, and what belongs to one: their binding, their offers, and why those."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials

from api.auth import Role
from api.document import require_known_parameters
from api.edge import At, CallerDep, Edge, Given, Reads, WriteDep, answer_write, get_at, get_caller, get_edge
from api.gpc import objects_by_signal
from api.models import Body, Out, Text
from api.paging import (
    Cursor,
    Feed,
    Limit,
    Page,
    after_id,
    cut_page,
    decode_cursor,
    decode_time_cursor,
    encode_cursor,
    json_feed,
    page_by_id,
)
from api.problems import PROBLEM_RESPONSES
from api.threads import run_in_thread
from api.told.bindings import BindingOut, show_binding
from api.told.customers import CustomerOut
from api.told.decisions import DecisionOut, show_decision
from api.told.everybodys_offers import EverybodysOfferOut, tell_everybodys_offers
from api.told.offers import OfferOut, tell_open_offers
from api.visible.bindings import visible_binding_of
from api.visible.customers import may_see_offers, visible_customer, visible_customer_id
from api.visible.looks import note_looks
from api.visible.roles import require_role
from customers.accounts import register_customer, select_customer, select_customers, set_country
from customers.audit.entries import record_audit
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId
from millpond.kernel.language import choose_language
from offers.everybodys import may_personalise
from offers.showing import OpenOffer, select_open_offers
from offers.store import select_decisions

router = APIRouter(prefix="/v1/customers")

Personalised = Annotated[bool, Query(description="`false`: what is shown to everybody alike.")]


class NewCustomer(Body):
    """A customer; `external_key` is what the brand's own systems call them, and works wherever an id is asked for.

    `country` is where they live, as ISO 3166 writes it; without one their time zone and language say it.
    """

    name: Text
    external_key: Text | None = None
    locale: Text = "en"
    time_zone: Text = "UTC"
    country: Text | None = None


@router.post("", status_code=201, response_model=CustomerOut, tags=["registers"])
def post_customer(body: NewCustomer, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Register a customer."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, CustomerOut.model_validate(register_customer(conn, at=at, **body.model_dump()))

    return answer_write(write, act)


class NewCountry(Body):
    """Where a customer lives, as ISO 3166 writes it; null: as their time zone and language say."""

    country: Text | None


@router.put("/{customer_id}/country", response_model=CustomerOut, tags=["registers"])
def put_country(customer_id: str, body: NewCountry, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Say where a customer lives: the law there is then looked at before something is sent to them."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        customer = visible_customer(conn, caller, customer_id, at)
        set_country(conn, customer.customer_id, body.country)
        detail = {"country": body.country}
        said = {"actor": caller.actor, "action": "country_changed", "because": "operator"}
        record_audit(conn, customer_id=customer.customer_id, detail=detail, at=at, **said)
        return 200, CustomerOut.model_validate(customer)

    return answer_write(write, act)


@router.get("", response_model=Page[CustomerOut], tags=["registers"])
def get_customers(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[CustomerOut]:
    """All customers, by id."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_customers(conn, after=after_id(cursor), limit=limit + 1)
    note_looks(caller, rows[:limit])
    return page_by_id(rows, limit, CustomerOut, "customer_id")


@router.get("/{customer_id}/binding", response_model=BindingOut, tags=["bindings"])
def get_binding(customer_id: str, reads: Reads, caller: CallerDep, at: At) -> BindingOut:
    """Who is credited for the customer now; 404 when nobody is."""
    with reads.connection() as conn:
        return show_binding(conn, visible_binding_of(conn, caller, customer_id, at))


async def get_offers(
    request: Request,
    customer_id: str,
    given: Given,
    limit: Limit = 50,
    cursor: Cursor = None,
    personalised: Personalised = True,
) -> Response:
    """What can be accepted now, the most urgent first; or, with `personalised=false`, what is shown to everybody alike.

    Who does not agree to personalisation gets the latter, and so does a request that says `Sec-GPC: 1`. A staff member
    sees what is offered to their customer while the customer agrees to be contacted by them.
    """
    # The busiest call of all: FastAPI's own way into a thread, and each dependency, would cost as much as its query.
    await require_known_parameters(request)
    return await run_in_thread(_get_offers, request, customer_id, given, limit, cursor, personalised)


def _get_offers(
    request: Request,
    customer_id: str,
    given: HTTPAuthorizationCredentials | None,
    limit: int,
    cursor: str | None,
    personalised: bool,
) -> Response:
    edge, at = get_edge(request), get_at(request)
    caller = get_caller(edge, at, given)
    with edge.reads.connection() as conn:
        whose = visible_customer_id(conn, caller, customer_id, at)
        if objects_by_signal(request) or not personalised:
            return _everybodys_offers(conn, edge, whose, limit, at)
        waiting = select_open_offers(conn, whose, at=at) if may_see_offers(conn, caller, whose, at) else []
        # Every offer needs the agreement to personalisation: who has one to see has agreed to it.
        if not waiting and not may_personalise(conn, whose, at):
            return _everybodys_offers(conn, edge, whose, limit, at)
        rest = _after(waiting, cursor)[: limit + 1]
        shown, following = cut_page(rest, limit, lambda each: encode_cursor(each.offer_id))
        return json_feed(tell_open_offers(conn, shown), following, personalised=True)


def _everybodys_offers(conn: ReadConnection, edge: Edge, whose: CustomerId, limit: int, at: datetime) -> Response:
    customer = select_customer(conn, whose)
    told = tell_everybodys_offers(conn, edge, choose_language(customer.locale if customer else None), at)
    return json_feed([each.model_dump_json() for each in told[:limit]], None, personalised=False)


def _after(waiting: list[OpenOffer], cursor: str | None) -> list[OpenOffer]:
    if cursor is None:
        return waiting
    (last,) = decode_cursor(cursor, str)
    places = [place for place, each in enumerate(waiting) if each.offer_id == last]
    if not places:
        raise InvalidInput("cursor: the offer it stands after was answered meanwhile, begin again without one")
    return waiting[places[0] + 1 :]


def install_feed(app: FastAPI) -> None:
    """Add the feed to the application itself: the look through an included router costs as much as a query."""
    app.add_api_route(
        f"{router.prefix}/{{customer_id}}/offers",
        get_offers,
        response_model=Feed[OfferOut] | Feed[EverybodysOfferOut],
        responses=PROBLEM_RESPONSES,
        tags=["offers"],
    )


@router.get("/{customer_id}/decisions", response_model=Page[DecisionOut], tags=["offers"])
def get_decisions(
    customer_id: str, reads: Reads, caller: CallerDep, at: At, limit: Limit = 50, cursor: Cursor = None
) -> Page[DecisionOut]:
    """Why a customer was offered what, and why not, newest first: in plain words for the customer."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    before = decode_time_cursor(cursor, str)
    with reads.connection() as conn:
        customer = visible_customer(conn, caller, customer_id, at)
        rows = select_decisions(conn, customer_id=customer.customer_id, before=before, limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.decided_at.isoformat(), row.decision_id))
    return Page(items=[show_decision(row, caller, customer.locale) for row in shown], next_cursor=following)
