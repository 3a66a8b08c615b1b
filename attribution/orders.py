"""Sales in any channel, their credit, and refunds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial, reduce

from attribution.binding_nouns import Binding
from attribution.binding_rows import binding_at
from attribution.credit import claw_back, credit_order
from attribution.hold_nouns import Ceilings
from attribution.moments import lock_customer_at
from attribution.nouns import Channel, Order, OrderItem, OrderLine, Refund, Told
from attribution.order_rows import lock_order, select_order, select_orders, select_refunds
from attribution.people import select_staff_member, select_store
from catalogue.store import select_prices
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, OfferId, OrderId, RefundId, StaffId, StoreId, new_id
from millpond.kernel.money import MOST_MINOR, Money

__all__ = ["record_sale", "refund_order", "select_order", "select_orders", "select_refunds"]

_Q = load_queries("attribution")
_MOST_OF_ONE = 1_000
_CEILINGS = Ceilings()
_TOLD_NOTHING = Told()
_REFUSALS: Refusals = {
    "one_order_per_offer": partial(Conflict, "this offer has already been ordered"),
    "order_of_an_offer": partial(InvalidInput, "that offer is not known"),
    "order_in_a_store_names_it": partial(
        InvalidInput, "an order in a store names the store, an order elsewhere does not"
    ),
    "order_external_id_once": partial(Conflict, "there is an order of that external id already"),
    "order_external_id_bounds": partial(InvalidInput, "an external id is 1 to 255 characters"),
    "order_amount_positive": partial(InvalidInput, "an order comes to more than nothing"),
    "refund_external_id_once": partial(Conflict, "there is a refund of that external id already"),
    "refund_within_order": partial(Conflict, "the refund is larger than what is left of the order"),
    "refund_in_order_currency": partial(InvalidInput, "the refund is in another currency than the order"),
}


def record_sale(
    conn: WriteConnection,
    *,
    customer_id: CustomerId,
    channel: Channel,
    items: Sequence[OrderItem],
    currency: str,
    at: datetime,
    store_id: StoreId | None = None,
    sold_by: StaffId | None = None,
    offer_id: OfferId | None = None,
    told: Told = _TOLD_NOTHING,
    ceilings: Ceilings = _CEILINGS,
) -> Order:
    """Record an order and credit it to the binding in force when it was placed, in one transaction.

    It was placed at `at`, or at `told.placed_at` where another system tells of it later.

    Only `offers` calls it, which also withdraws the offers that the sale makes moot: to sell, call
    `offers.checkout.place_order`. Commission beyond `ceilings`, and a seller's own, is held.

    Raises InvalidInput (no lines, unknown product, other currency, store channel without a store, ...), NotFound
    (customer), Conflict (the offer was already ordered).
    """
    with conn.transaction():
        placed_at = told.placed_at or at
        _require_till(conn, channel, store_id, sold_by, currency, placed_at)
        lines = _price_lines(conn, items, currency, placed_at)
        discount = told.discount or Money(0, currency)
        # Last, so that only a sale that could be tells whether somebody is a customer.
        at = lock_customer_at(conn, customer_id, at)
        placed_at = told.placed_at or at
        binding = binding_at(conn, customer_id, placed_at)
        order = _make_order(customer_id, binding, lines, discount, placed_at)
        order = replace(order, channel=channel, store_id=store_id, sold_by=sold_by, offer_id=offer_id)
        _insert_order(conn, order, told, discount, at)
        crash_point("after-order-before-ledger")
        credit_order(conn, order, ceilings, at=placed_at)
        return order


def _make_order(
    customer_id: CustomerId, binding: Binding | None, lines: tuple[OrderLine, ...], discount: Money, placed_at: datetime
) -> Order:
    """The order of some lines, credited to whom the customer is bound; as if placed in the app and of no offer."""
    return Order(
        order_id=OrderId(new_id("ord")),
        customer_id=customer_id,
        channel=Channel.APP,
        store_id=None,
        sold_by=None,
        offer_id=None,
        binding_id=binding.binding_id if binding else None,
        credited_to=binding.staff_id if binding else None,
        amount=_sum(lines) - discount,
        refunded=Money(0, discount.currency),
        placed_at=placed_at,
        lines=lines,
    )


def _require_till(
    conn: ReadConnection,
    channel: Channel,
    store_id: StoreId | None,
    sold_by: StaffId | None,
    currency: str,
    at: datetime,
) -> None:
    """A sale in a store names the store, is in its currency, and whoever sold it works there."""
    if (channel is Channel.STORE) != (store_id is not None):
        raise _REFUSALS["order_in_a_store_names_it"]()
    if store_id is not None:
        store = select_store(conn, store_id)
        if store is None:
            raise InvalidInput(f"store {store_id} is not known")
        if store.currency != currency:
            raise InvalidInput(f"{store.name} sells in {store.currency}, not in {currency}")
    if sold_by is not None:
        seller = select_staff_member(conn, sold_by)
        if seller is None or not seller.employed_at(at) or (store_id is not None and seller.store_id != store_id):
            raise InvalidInput(f"staff member {sold_by} does not work there")


def _price_lines(
    conn: ReadConnection, items: Sequence[OrderItem], currency: str, at: datetime
) -> tuple[OrderLine, ...]:
    if not items:
        raise InvalidInput("an order needs at least one line")
    prices = select_prices(conn, [item.sku for item in items], at=at)
    return tuple(_price_line(item, prices.get(item.sku), currency) for item in items)


def _price_line(item: OrderItem, list_price: Money | None, currency: str) -> OrderLine:
    if list_price is None:
        raise InvalidInput(f"product {item.sku} is not known")
    if not 1 <= item.quantity <= _MOST_OF_ONE:
        raise InvalidInput(f"the quantity of {item.sku} must be 1 to {_MOST_OF_ONE:,}, not {item.quantity}")
    price = item.unit_price or list_price
    if price.currency != currency:
        raise InvalidInput(f"{item.sku} is sold in {price.currency}, the order is in {currency}")
    return OrderLine(item.sku, item.quantity, price)


def _sum(lines: Sequence[OrderLine]) -> Money:
    """What the lines come to; never more than can be given back in one refund."""
    amount = reduce(Money.__add__, (line.unit_price.times(line.quantity) for line in lines))
    if amount.amount_minor > MOST_MINOR:
        raise InvalidInput(f"the order comes to more than {MOST_MINOR:,} minor units of {amount.currency}: split it")
    return amount


def _insert_order(conn: WriteConnection, order: Order, told: Told, discount: Money, at: datetime) -> None:
    values = {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "channel": order.channel,
        "store_id": order.store_id,
        "sold_by": order.sold_by,
        "offer_id": order.offer_id,
        "binding_id": order.binding_id,
        "credited_to": order.credited_to,
        "amount_minor": order.amount.amount_minor,
        "currency": order.amount.currency,
        "external_id": told.external_id,
        "discount_minor": discount.amount_minor,
        "coupon": told.coupon,
        "placed_at": order.placed_at,
        "at": at,
    }
    _write(conn, "insert_order", values)
    for number, line in enumerate(order.lines, start=1):
        _insert_line(conn, order.order_id, number, line)


def _insert_line(conn: WriteConnection, order_id: OrderId, number: int, line: OrderLine) -> None:
    values = {
        "order_id": order_id,
        "line": number,
        "sku": line.sku,
        "quantity": line.quantity,
        "unit_price_minor": line.unit_price.amount_minor,
    }
    _write(conn, "insert_order_line", values)


def refund_order(
    conn: WriteConnection,
    order_id: OrderId,
    *,
    amount: Money,
    at: datetime,
    reason: str | None = None,
    external_id: str | None = None,
) -> Refund:
    """Give money back and claw back its share of the commission, in one transaction.

    `external_id` is what another system calls it. Raises NotFound, InvalidInput (other currency, not positive),
    Conflict (more than is left of the order, or a refund of that external id).
    """
    with conn.transaction():
        order = lock_order(conn, order_id)
        if order is None:
            raise NotFound(f"order {order_id} is not known")
        _require_refundable(order, amount)
        refund = Refund(RefundId(new_id("ref")), order_id, amount, Money(0, amount.currency), at, reason)
        _write(conn, "add_refunded", {"order_id": order_id, "amount_minor": amount.amount_minor})
        _insert_refund(conn, refund, external_id)
        return replace(refund, clawed_back=claw_back(conn, order, refund.refund_id, amount, at=at))


def _require_refundable(order: Order, amount: Money) -> None:
    if amount.currency != order.amount.currency:
        raise InvalidInput(f"the order is in {order.amount.currency}, the refund in {amount.currency}")
    if amount.amount_minor <= 0:
        raise InvalidInput("a refund must be more than nothing")


def _insert_refund(conn: WriteConnection, refund: Refund, external_id: str | None) -> None:
    values = {
        "refund_id": refund.refund_id,
        "order_id": refund.order_id,
        "amount_minor": refund.amount.amount_minor,
        "currency": refund.amount.currency,
        "at": refund.refunded_at,
        "reason": refund.reason,
        "external_id": external_id,
    }
    _write(conn, "insert_refund", values)


def _write(conn: WriteConnection, query: str, values: Mapping[str, object]) -> None:
    with refusing(conn, _REFUSALS):
        conn.execute(_Q[query], values)
