"""What is shown to everybody alike, as people are told; the same for all who read one language."""

from datetime import datetime

from api.edge import Edge
from api.models import MoneyOut, Out
from millpond.kernel.db import ReadConnection
from millpond.kernel.language import name_in
from offers.everybodys import GeneralOffer, GeneralReason, explain_general, select_everybodys_offers


class GeneralReasonOut(Out):
    """Why it is shown: on sale, popular or new."""

    code: GeneralReason
    why: str


class EverybodysOfferOut(Out):
    """A product at everybody's price. `list_price` is above the price where it fell."""

    sku: str
    product: str
    price: MoneyOut
    list_price: MoneyOut
    reason: GeneralReasonOut


def tell_everybodys_offers(conn: ReadConnection, edge: Edge, language: str, at: datetime) -> list[EverybodysOfferOut]:
    """All of them in one of our languages; found once for all who ask within a minute."""
    kept = edge.everybodys.find(language)
    if kept is None:
        kept = [_tell(offer, language) for offer in select_everybodys_offers(conn, at)]
        edge.everybodys.keep(language, kept)
    return kept


def _tell(offer: GeneralOffer, language: str) -> EverybodysOfferOut:
    return EverybodysOfferOut(
        sku=offer.sku,
        product=name_in(offer.names, language),
        price=MoneyOut.model_validate(offer.price),
        list_price=MoneyOut.model_validate(offer.list_price),
        reason=GeneralReasonOut(code=offer.code, why=explain_general(offer, language)),
    )
