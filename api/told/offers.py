"""Offers, as their customer is told: why, until when and at what price; and the customer's answer to one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.edge import Edge
from api.models import MoneyOut, Out
from api.told.bindings import CreditOut, find_credit
from api.told.orders import OrderOut
from catalogue.store import select_names
from customers.accounts import select_customer
from customers.nouns import Customer
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.language import choose_language, name_in
from offers.explain import explain_offer
from offers.life import accept_offer, decline_offer
from offers.nouns import Offer, OfferState, ReasonCode


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


def accept(conn: WriteConnection, edge: Edge, offer_id: str, customer_id: CustomerId, at: datetime) -> AcceptedOut:
    """Accept, and show the offer with its order."""
    accepted = accept_offer(conn, offer_id, customer_id=customer_id, at=at, ceilings=edge.ceilings)
    return AcceptedOut(offer=show_offer(conn, accepted.offer), order=OrderOut.model_validate(accepted.order))


def decline(conn: WriteConnection, offer_id: str, customer_id: CustomerId, at: datetime) -> OfferOut:
    """Decline, and show the offer."""
    return show_offer(conn, decline_offer(conn, offer_id, customer_id=customer_id, at=at))


def show_offer(conn: ReadConnection, offer: Offer) -> OfferOut:
    """One offer, in its customer's own language."""
    customer = select_customer(conn, offer.customer_id)
    assert customer is not None  # A foreign key says so.
    return show_offers(conn, [offer], customer)[0]


def show_offers(
    conn: ReadConnection, offers: Sequence[Offer], customer: Customer, locale: str | None = None
) -> list[OfferOut]:
    """A customer's offers as they are told, in `locale` or the customer's own; nothing is looked up twice."""
    names = select_names(conn, {offer.sku for offer in offers})
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
