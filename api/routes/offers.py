"""The customer's offers and their life."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Caller, Role, require_role
from api.credit import find_credit
from api.edge import At, CallerDep, Edge, EdgeDep, Reads, WriteDep, answer_once
from api.models import CreditOut, MoneyOut, OrderOut, Out
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from api.store import select_product_names
from attribution.bindings import binding_at
from attribution.people import select_staff_member
from customers.accounts import select_customer
from customers.nouns import Customer
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId
from millpond.kernel.language import choose_language, name_in
from offers.explain import explain_offer
from offers.life import accept_offer, decline_offer, mark_seen
from offers.nouns import Offer, OfferState, ReasonCode
from offers.store import select_open_offers

router = APIRouter(prefix="/v1", tags=["offers"])


class ReasonOut(Out):
    """Why, until when and at what price, in the customer's language; `facts` are the numbers behind it."""

    code: ReasonCode
    headline: str
    why: str
    terms: str
    facts: dict[str, Any]


class OfferOut(Out):
    """A proposal. `discount_bp` is the discount on the list price in basis points, rounded down."""

    offer_id: str
    decision_id: str
    customer_id: str
    state: OfferState
    sku: str
    product: str
    list_price: MoneyOut
    price: MoneyOut
    discount_bp: int
    valid_from: datetime
    reply_by: datetime
    valid_until: datetime
    reason: ReasonOut
    credited_to: CreditOut | None
    issued_at: datetime


class AcceptedOut(Out):
    """The accepted offer and the order it became."""

    offer: OfferOut
    order: OrderOut


@router.get("/customers/{customer_id}/offers", response_model=Page[OfferOut])
def get_offers(
    customer_id: str, reads: Reads, caller: CallerDep, at: At, limit: Limit = 50, cursor: Cursor = None
) -> Page[OfferOut]:
    """What can be accepted now, the most urgent first."""
    with reads.connection() as conn:
        customer = find_visible_customer(conn, caller, customer_id, at)
        waiting = select_open_offers(conn, customer.customer_id, at=at)
        rest = _after(waiting, cursor)[: limit + 1]
        shown, following = cut_page(rest, limit, lambda offer: encode_cursor(offer.offer_id))
        return Page(items=show_offers(conn, shown, customer), next_cursor=following)


def _after(waiting: list[Offer], cursor: str | None) -> list[Offer]:
    if cursor is None:
        return waiting
    (last,) = decode_cursor(cursor, str)
    places = [place for place, offer in enumerate(waiting) if offer.offer_id == last]
    if not places:
        raise InvalidInput("cursor: the offer it stands after was answered meanwhile, begin again without one")
    return waiting[places[0] + 1 :]


@router.post("/offers/{offer_id}/seen", response_model=OfferOut)
def post_seen(offer_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The customer looked at the offer."""
    customer_id = _require_customer(caller)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, _show(conn, mark_seen(conn, offer_id, customer_id=customer_id, at=at))

    return answer_once(write, act)


@router.post("/offers/{offer_id}/accept", status_code=201, response_model=AcceptedOut)
def post_accept(offer_id: str, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Order what was offered at its price, credited to the binding in force now."""
    customer_id = _require_customer(caller)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 201, accept(conn, edge, offer_id, customer_id, at)

    return answer_once(write, act)


@router.post("/offers/{offer_id}/decline", response_model=OfferOut)
def post_decline(offer_id: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Say no for good."""
    customer_id = _require_customer(caller)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        return 200, decline(conn, offer_id, customer_id, at)

    return answer_once(write, act)


def accept(conn: WriteConnection, edge: Edge, offer_id: str, customer_id: CustomerId, at: datetime) -> AcceptedOut:
    """Accept, and show the offer with its order."""
    accepted = accept_offer(conn, offer_id, customer_id=customer_id, at=at, ceilings=edge.ceilings)
    return AcceptedOut(offer=_show(conn, accepted.offer), order=OrderOut.model_validate(accepted.order))


def decline(conn: WriteConnection, offer_id: str, customer_id: CustomerId, at: datetime) -> OfferOut:
    """Decline, and show the offer."""
    return _show(conn, decline_offer(conn, offer_id, customer_id=customer_id, at=at))


def find_visible_customer(conn: ReadConnection, caller: Caller, customer_id: str, at: datetime) -> Customer:
    """The customer, for themselves, for the staff member bound at `at`, and for operators; NotFound otherwise."""
    customer = select_customer(conn, customer_id)
    if customer is None or not _may_see(conn, caller, customer.customer_id, at):
        raise NotFound(f"there is no customer {customer_id[:80]} that you may see")
    return customer


def show_offers(
    conn: ReadConnection, offers: Sequence[Offer], customer: Customer, locale: str | None = None
) -> list[OfferOut]:
    """A customer's offers as they are told, in `locale` or the customer's own; nothing is looked up twice."""
    names = select_product_names(conn, {offer.sku for offer in offers})
    credits = {staff_id: find_credit(conn, staff_id) for staff_id in {offer.credited_to for offer in offers}}
    return [
        _tell(offer, customer, names.get(offer.sku, {}), credits[offer.credited_to], locale or customer.locale)
        for offer in offers
    ]


def _tell(offer: Offer, customer: Customer, names: dict[str, str], credit: CreditOut | None, locale: str) -> OfferOut:
    reason = explain_offer(offer, locale=locale, time_zone=customer.time_zone)
    return OfferOut(
        offer_id=offer.offer_id,
        decision_id=offer.decision_id,
        customer_id=offer.customer_id,
        state=offer.state,
        sku=offer.sku,
        product=name_in(names, choose_language(locale)) if names else offer.sku,
        list_price=MoneyOut.model_validate(offer.list_price),
        price=MoneyOut.model_validate(offer.price),
        discount_bp=(offer.list_price - offer.price).amount_minor * 10_000 // offer.list_price.amount_minor,
        valid_from=offer.valid_from,
        reply_by=offer.reply_by,
        valid_until=offer.valid_until,
        reason=ReasonOut(
            code=offer.reason_code, headline=reason.headline, why=reason.why, terms=reason.terms, facts=offer.facts
        ),
        credited_to=credit,
        issued_at=offer.issued_at,
    )


def _show(conn: ReadConnection, offer: Offer) -> OfferOut:
    customer = select_customer(conn, offer.customer_id)
    assert customer is not None  # A foreign key says so.
    return show_offers(conn, [offer], customer)[0]


def _require_customer(caller: Caller) -> CustomerId:
    require_role(caller, Role.CUSTOMER)
    return CustomerId(caller.subject)


def _may_see(conn: ReadConnection, caller: Caller, customer_id: CustomerId, at: datetime) -> bool:
    if caller.role is Role.STAFF:
        binding, staff = binding_at(conn, customer_id, at), select_staff_member(conn, caller.subject)
        return (
            binding is not None and staff is not None and staff.employed_at(at) and binding.staff_id == staff.staff_id
        )
    return caller.role is Role.OPERATOR or customer_id == caller.subject
