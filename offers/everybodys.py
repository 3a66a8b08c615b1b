"""What is shown to everybody alike: chosen by what is sold and what all customers bought, by no one person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files

from psycopg.rows import kwargs_row

from customers.consent import agrees_to
from customers.nouns import Purpose
from customers.purposes import Words
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId, Sku
from millpond.kernel.language import format_money
from millpond.kernel.money import Money
from millpond.kernel.yaml_file import Strict, read_yaml

_Q = load_queries("offers")
# Of what fewer people bought, the number might say something of one of them.
FEWEST_BUYERS = 5
MOST_SHOWN = 200


class GeneralReason(StrEnum):
    """Why something is shown to everybody."""

    ON_SALE = "on_sale"
    POPULAR = "popular"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class GeneralOffer:
    """A product at its price for everybody. `list_price` is the lowest of the 30 days before it fell, else the price.

    `orders` counts those of all customers in the last 30 days, None where fewer than `FEWEST_BUYERS` people bought it.
    """

    sku: Sku
    names: dict[str, str]
    price: Money
    list_price: Money
    code: GeneralReason
    orders: int | None
    added_at: datetime | None


class _Words(Strict):
    on_sale: Words
    popular: Words
    new: Words


def may_personalise(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> bool:
    """Whether the customer agrees to what is chosen for them; else they are shown what everybody is."""
    return agrees_to(conn, customer_id, Purpose.PERSONALISATION, at)


def select_everybodys_offers(conn: ReadConnection, at: datetime, *, limit: int = MOST_SHOWN) -> list[GeneralOffer]:
    """What everybody may be shown at `at`: on sale, then what many buy, then what is new; nothing that is sold out."""
    values = {"at": at, "limit": limit, "fewest": FEWEST_BUYERS}
    with conn.cursor(row_factory=kwargs_row(_general)) as cursor:
        return cursor.execute(_Q["select_everybodys_offers"], values).fetchall()


def explain_general(offer: GeneralOffer, language: str) -> str:
    """Why it is shown, in one sentence."""
    sentence: str = _words()[offer.code][language]
    return sentence.format(list_price=format_money(offer.list_price, language), orders=offer.orders)


@cache
def _words() -> dict[str, dict[str, str]]:
    text = (files("offers") / "words" / "everybodys.yaml").read_text(encoding="utf-8")
    return read_yaml(_Words, text, "everybodys.yaml").model_dump()


def _general(
    *,
    sku: Sku,
    name: dict[str, str],
    added_at: datetime | None,
    price_minor: int,
    currency: str,
    list_price_minor: int,
    orders: int | None,
    code: str,
) -> GeneralOffer:
    price, list_price = Money(price_minor, currency), Money(list_price_minor, currency)
    return GeneralOffer(sku, name, price, list_price, GeneralReason(code), orders, added_at)
