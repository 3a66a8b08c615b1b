"""Offers, as their customer is told: why, until when and at what price; and the customer's answer to one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.edge import Edge
from api.models import MoneyOut, Out
from api.recent import Recent
from api.told.bindings import CreditOut
from api.told.orders import OrderOut
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.language import choose_language, name_in
from offers.explain import explain_offer
from offers.life import accept_offer, decline_offer
from offers.nouns import UNANSWERED, Offer, OfferState, ReasonCode
from offers.showing import OpenOffer, ShownOffer, select_shown_offer, select_shown_offers

# Whoever looks at their page looks again, and the words of an offer take longer than to find it. A text stands under
# all that is told in it, so it never grows old; it ends so that what nobody looks at any more is not kept.
_TOLD: Recent[str, str] = Recent(keep_s=3_600, most=4_096)


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
    return tell_offer(select_shown_offer(conn, offer.offer_id))


def tell_open_offers(conn: ReadConnection, offers: Sequence[OpenOffer]) -> list[str]:
    """Each of the offers as it is told in its customer's own language, as JSON."""
    told = {each.offer_id: _TOLD.find(each.version) for each in offers}
    new = [offer_id for offer_id, text in told.items() if text is None]
    for version, shown in select_shown_offers(conn, new) if new else ():
        # It may have changed since it was found: then it stands under its new version, once answered not at all.
        if shown.offer.state in UNANSWERED:
            told[shown.offer.offer_id] = text = tell_offer(shown).model_dump_json()
            _TOLD.keep(version, text)
    return [text for text in told.values() if text is not None]


def tell_offer(shown: ShownOffer, locale: str | None = None) -> OfferOut:
    """An offer as it is told, in `locale` or its customer's own."""
    offer, locale = shown.offer, locale or shown.locale
    reason = explain_offer(offer, locale=locale, time_zone=shown.time_zone)
    # As one tree, which is checked at once: model by model costs three times as much.
    return OfferOut.model_validate(
        {
            "offer_id": offer.offer_id,
            "decision_id": offer.decision_id,
            "customer_id": offer.customer_id,
            "state": offer.state,
            "sku": offer.sku,
            "product": name_in(shown.product, choose_language(locale)),
            "list_price": offer.list_price,
            "price": offer.price,
            "discount_bp": (offer.list_price - offer.price).amount_minor * 10_000 // offer.list_price.amount_minor,
            "valid_from": offer.valid_from,
            "reply_by": offer.reply_by,
            "valid_until": offer.valid_until,
            "reason": {
                "code": offer.reason_code,
                "headline": reason.headline,
                "why": reason.why,
                "terms": reason.terms,
                "facts": offer.facts,
            },
            "credited_to": shown.credit,
            "issued_at": offer.issued_at,
        }
    )
