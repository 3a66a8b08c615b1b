"""`/me`: a customer's devices and how long their parts last, offers, orders, and who looks after me."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Caller, Role
from api.edge import Reads, get_at, get_edge
from api.gpc import objects_by_signal
from api.models import Out
from api.reads.households import (
    HouseholdDevice,
    HouseholdPart,
    select_household,
    select_household_parts,
    select_remaining_history,
)
from api.told.bindings import BindingOut, show_binding
from api.told.everybodys_offers import EverybodysOfferOut, tell_everybodys_offers
from api.told.offers import AcceptedOut, OfferOut, accept, decline, tell_offer
from api.told.supply import Supply, arrives_at, find_supply
from api.visible.customers import own_account, own_customer_id
from api.web.charts import build_forecast_chart
from api.web.session import FormKey, SameOrigin, make_page_write, require_caller
from api.web.telling import find_telling
from api.web.urgency import Urgency, urgency_of
from api.web.view import View, make_view
from attribution.bindings import binding_at
from attribution.nouns import Order
from attribution.orders import select_orders
from catalogue.store import select_names
from customers.nouns import Customer
from devices.parts.doubts import Doubt
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId
from offers.consenting import object_by_signal
from offers.everybodys import may_personalise
from offers.life import mark_seen
from offers.nouns import OfferState
from offers.showing import show_open_offers

router = APIRouter(prefix="/me", include_in_schema=False)

_HISTORY = timedelta(days=180)
# Of what is offered to everybody.
_SHOWN = 24


@dataclass(frozen=True, slots=True)
class PartCard:
    """A part with what is left of it now, how urgent that is, what will replace it (None: nothing), and its chart."""

    part: HouseholdPart
    remaining_pct: float | None
    urgency: Urgency | None
    supply: Supply | None
    chart: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """A device with its parts."""

    device: HouseholdDevice
    parts: list[PartCard]


@dataclass(frozen=True, slots=True)
class PlacedOrders:
    """The newest orders with about when they arrive, and the names of what was ordered, by SKU and language."""

    orders: list[tuple[Order, datetime | None]]
    products: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Home:
    """All that the page shows."""

    customer: Customer
    devices: list[DeviceCard]
    offers: list[OfferOut]
    everybodys: list[EverybodysOfferOut]
    personalised: bool
    placed: PlacedOrders
    binding: BindingOut | None


@router.get("")
def get_me(request: Request, reads: Reads, personalised: bool = True) -> Response:
    """The whole page, with what is offered to them or (`personalised` false) to everybody."""
    caller = require_caller(request, Role.CUSTOMER)
    if objects_by_signal(request):
        _keep_objection(request, caller)
    with reads.connection() as conn:
        customer = own_account(conn, caller)
        view = make_view(request, customer.locale, customer.time_zone)
        asked = personalised and not objects_by_signal(request)
        home = _read_home(conn, customer, view, asked and may_personalise(conn, customer.customer_id, view.at))
        telling = find_telling(request, conn, customer, view.at) if home.personalised else None
    _mark_offers_seen(request, customer.customer_id, home.offers, view.at)
    return view.render("me.html", home=home, telling=telling)


@router.post("/offers/{offer_id}/accept", dependencies=[SameOrigin])
def post_accept(request: Request, reads: Reads, offer_id: str, key: FormKey = None) -> Response:
    """Accept, and show the order's number in the offer's place, and the order among the others."""
    caller = require_caller(request, Role.CUSTOMER)
    customer_id = own_customer_id(caller)
    write = make_page_write(request, caller, key)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, accept(conn, get_edge(request), offer_id, customer_id, write.at)

    answer = write.run(act)
    if "hx-request" not in request.headers:
        return RedirectResponse("/me#orders", 303)
    with reads.connection() as conn:
        customer = own_account(conn, caller)
        view = make_view(request, customer.locale, customer.time_zone)
        placed = _read_orders(conn, customer.customer_id, view)
    shown = AcceptedOut.model_validate(answer.body)
    arrival = shown.order.placed_at + _delivery(view)
    return view.render("accepted.html", shown=shown, placed=placed, arrival=arrival)


@router.post("/offers/{offer_id}/decline", dependencies=[SameOrigin])
def post_decline(request: Request, reads: Reads, offer_id: str, key: FormKey = None) -> Response:
    """Decline, and say so in the offer's place."""
    caller = require_caller(request, Role.CUSTOMER)
    customer_id = own_customer_id(caller)
    write = make_page_write(request, caller, key)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, decline(conn, offer_id, customer_id, write.at)

    write.run(act)
    if "hx-request" not in request.headers:
        return RedirectResponse("/me", 303)
    with reads.connection() as conn:
        customer = own_account(conn, caller)
    return make_view(request, customer.locale, customer.time_zone).render("declined.html")


def _keep_objection(request: Request, caller: Caller) -> None:
    """Their browser's signal is a word of who never said one."""
    with get_edge(request).writes.connection() as conn:
        object_by_signal(conn, own_account(conn, caller).customer_id, at=get_at(request), actor=caller.actor)


def _read_home(conn: ReadConnection, customer: Customer, view: View, personalised: bool) -> Home:
    customer_id = customer.customer_id
    binding = binding_at(conn, customer_id, view.at)
    offers = show_open_offers(conn, customer_id, at=view.at) if personalised else []
    language = view.speech.language
    general = [] if personalised else tell_everybodys_offers(conn, get_edge(view.request), language, view.at)
    return Home(
        customer=customer,
        devices=_read_devices(conn, customer_id, view),
        offers=[tell_offer(offer, language) for offer in offers],
        everybodys=general[:_SHOWN],
        personalised=personalised,
        placed=_read_orders(conn, customer_id, view),
        binding=show_binding(conn, binding) if binding else None,
    )


def _read_orders(conn: ReadConnection, customer_id: CustomerId, view: View) -> PlacedOrders:
    orders = select_orders(conn, customer_id=customer_id, limit=20)
    arriving = [(order, arrives_at(order, delivery=_delivery(view), at=view.at)) for order in orders]
    return PlacedOrders(arriving, select_names(conn, {line.sku for order in orders for line in order.lines}))


def _read_devices(conn: ReadConnection, customer_id: CustomerId, view: View) -> list[DeviceCard]:
    parts = select_household_parts(conn, customer_id, at=view.at)
    return [
        DeviceCard(
            device, [_read_part(conn, customer_id, part, view) for part in parts if part.device_id == device.device_id]
        )
        for device in select_household(conn, customer_id, view.at)
    ]


def _read_part(conn: ReadConnection, customer_id: CustomerId, part: HouseholdPart, view: View) -> PartCard:
    since = max(view.at - _HISTORY, part.owned_from)
    history = select_remaining_history(conn, part.device_id, part.part, since=since)
    remaining = history[-1].remaining_pct if history else part.remaining_pct
    supply = find_supply(conn, customer_id, part, delivery=_delivery(view), at=view.at)
    chart = build_forecast_chart(history, part, view.at)
    # What is in doubt is not urgent, whatever its display shows.
    doubted = part.reason_code in set(Doubt)
    urgency = None if doubted else urgency_of(remaining, part.threshold_pct)
    return PartCard(part, remaining, urgency, supply, chart)


def _delivery(view: View) -> timedelta:
    return timedelta(days=get_edge(view.request).settings.delivery_days)


def _mark_offers_seen(request: Request, customer_id: CustomerId, offers: list[OfferOut], at: datetime) -> None:
    """Keep that the customer saw what this page shows. A page that is read again changes nothing more."""
    unseen = [offer for offer in offers if offer.state is OfferState.OPEN]
    if unseen:
        with request.app.state.edge.writes.connection() as conn:
            for offer in unseen:
                mark_seen(conn, offer.offer_id, customer_id=customer_id, at=at)
