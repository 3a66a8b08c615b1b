"""What an `Order Completed`, `Order Refunded` or `Order Cancelled` says, checked. Nothing here knows a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.json import Decoder

from attribution.nouns import Channel, OrderItem
from events.nouns import Event, Source, SourceKind
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import Sku, StaffId, StoreId
from millpond.kernel.money import Money

_PROPERTIES = Decoder(dict[str, Any], float_hook=Decimal)
_CHANNELS = {SourceKind.POS: Channel.STORE, SourceKind.STORE: Channel.STORE, SourceKind.APP: Channel.APP}


@dataclass(frozen=True, slots=True)
class SaleTold:
    """A sale as its source tells it; `order_id` is the brand's own, of the store where one is named."""

    order_id: str
    placed_at: datetime
    channel: Channel
    store_id: StoreId | None
    sold_by: StaffId | None
    items: tuple[OrderItem, ...]
    discount: Money
    coupon: str | None


@dataclass(frozen=True, slots=True)
class ReturnTold:
    """Money given back as its source tells it; `amount` is None for all that is left."""

    order_id: str
    store_id: StoreId | None
    amount: Decimal | None
    currency: str | None
    refund_id: str | None
    at: datetime


def read_sale(event: Event, source: Source) -> SaleTold:
    """What an `Order Completed` says. Raises InvalidInput for what is missing, and for totals that do not add up."""
    said = _PROPERTIES.decode(event.properties)
    currency = _text(said, "currency")
    if currency is None:
        raise InvalidInput("an order says in 'currency' what it was paid in")
    items = tuple(_read_items(said.get("products") or [], currency))
    discount = _money(said, "discount", currency) or Money(0, currency)
    _require_sums(said, _lines_total(items, currency), discount)
    store_id = _text(said, "store_id")
    channel = _read_channel(said, source, store_id)
    if (channel is Channel.STORE) != (store_id is not None):
        raise InvalidInput("an order in a store says in 'store_id' which, an order elsewhere does not")
    return SaleTold(
        order_id=_order_id(said),
        placed_at=event.happened_at,
        channel=channel,
        store_id=StoreId(store_id) if store_id else None,
        sold_by=StaffId(staff_id) if (staff_id := _text(said, "staff_id")) else None,
        items=items,
        discount=discount,
        coupon=_text(said, "coupon"),
    )


def read_return(event: Event) -> ReturnTold:
    """What an `Order Refunded` says; an amount is its `total`, or else what its products come to, or else all."""
    said = _PROPERTIES.decode(event.properties)
    amount = next((Decimal(said[name]) for name in ("total", "revenue", "value") if said.get(name) is not None), None)
    if amount is None and said.get("products"):
        amount = sum((_line_amount(product, place) for place, product in enumerate(said["products"])), Decimal(0))
    store_id = _text(said, "store_id")
    return ReturnTold(
        order_id=_order_id(said),
        store_id=StoreId(store_id) if store_id else None,
        amount=amount,
        currency=_text(said, "currency"),
        refund_id=_text(said, "refund_id"),
        at=event.happened_at,
    )


def _read_channel(said: Mapping[str, Any], source: Source, store_id: str | None) -> Channel:
    """By what kind of source tells it; a server tells of several, and says which in `channel`."""
    if source.kind in _CHANNELS:
        return _CHANNELS[source.kind]
    told = _text(said, "channel")
    if told is not None and told not in list(Channel):
        raise InvalidInput(f"the 'channel' of an order is one of {', '.join(Channel)}")
    return Channel(told) if told else Channel.STORE if store_id else Channel.WEB


def _read_items(products: Sequence[Mapping[str, Any]], currency: str) -> list[OrderItem]:
    if not products:
        raise InvalidInput("an order lists in 'products' what was bought")
    return [_read_item(product, place, currency) for place, product in enumerate(products)]


def _read_item(product: Mapping[str, Any], place: int, currency: str) -> OrderItem:
    price = _money(product, "price", currency)
    if price is None:
        raise InvalidInput(f"products[{place}] has no price")
    return OrderItem(
        Sku(_text(product, "sku") or _text(product, "product_id") or ""), product.get("quantity", 1), price
    )


def _line_amount(product: Mapping[str, Any], place: int) -> Decimal:
    if product.get("price") is None:
        raise InvalidInput(f"products[{place}] has no price, and the refund no total")
    return Decimal(product["price"]) * int(product.get("quantity", 1))


def _lines_total(items: Sequence[OrderItem], currency: str) -> Money:
    amounts = (item.unit_price.times(item.quantity) for item in items if item.unit_price)
    return sum(amounts, start=Money(0, currency))


def _require_sums(said: Mapping[str, Any], lines: Money, discount: Money) -> None:
    """What is said of sums must be a sum of what is said; shops differ in which they call what.

    `subtotal` and `revenue`: the products, with or without the discount. `total`: with shipping, and with tax unless
    that is in the prices. `value`: any of these.
    """
    goods, currency = lines - discount, lines.currency
    shipping, tax = (_money(said, name, currency) or Money(0, currency) for name in ("shipping", "tax"))
    bare, whole = {lines, goods}, {goods + shipping, goods + shipping + tax, goods + tax, goods}
    for name, sums in (("subtotal", bare), ("revenue", bare | whole), ("total", whole), ("value", bare | whole)):
        told = _money(said, name, currency)
        if told is not None and told not in sums:
            raise InvalidInput(
                f"the {name} {_show(told)} is not what the order comes to: {_reckon(lines, discount, shipping, tax)}"
            )


def _reckon(lines: Money, discount: Money, shipping: Money, tax: Money) -> str:
    return f"products {_show(lines)}, discount {_show(discount)}, shipping {_show(shipping)}, tax {_show(tax)}"


def _show(money: Money) -> str:
    return f"{money.to_decimal()} {money.currency}"


def _order_id(said: Mapping[str, Any]) -> str:
    order_id = _text(said, "order_id")
    if order_id is None:
        raise InvalidInput("the event has no order_id")
    return order_id


def _money(said: Mapping[str, Any], name: str, currency: str) -> Money | None:
    value = said.get(name)
    return None if value is None else Money.from_decimal(value, currency)


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return None if value is None or value == "" else str(value)
