"""Orders and refunds that follow from events, in the transaction that stores the event: each once."""

from datetime import datetime
from functools import partial

from attribution.hold_nouns import Ceilings
from attribution.nouns import Order, Told
from attribution.order_rows import select_told_order
from attribution.orders import refund_order
from customers.accounts import find_or_register_customer, select_customer
from events.nouns import Event, Scope, Source
from events.taking import Acts
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId
from millpond.kernel.money import Money
from offers.checkout import place_order
from offers.taking.reading import ReturnTold, SaleTold, read_return, read_sale


def order_acts(conn: WriteConnection, source: Source, ceilings: Ceilings, at: datetime) -> Acts:
    """What events of a source make of orders; nothing without the scope: then they are behaviour."""
    if Scope.ORDERS not in source.scopes:
        return {}
    return {
        "Order Completed": partial(_complete, conn, source, ceilings, at),
        "Order Refunded": partial(_refund, conn),
        "Order Cancelled": partial(_cancel, conn),
    }


def _complete(conn: WriteConnection, source: Source, ceilings: Ceilings, at: datetime, event: Event) -> None:
    """Without a login nobody is known who bought: what was sold stays an event, and nobody is credited for it."""
    sale = read_sale(event, source)
    if event.login is not None:
        buyer = find_or_register_customer(conn, event.login, at=at)
        place_told_sale(conn, sale, buyer.customer_id, ceilings, at=at)


def place_told_sale(
    conn: WriteConnection, sale: SaleTold, customer_id: CustomerId, ceilings: Ceilings, *, at: datetime
) -> Order:
    """The order of a sale that another system tells of; one that is there already, whichever way it came, is that.

    Raises what `place_order` raises, and Conflict when the order that is there is another customer's or amount's.
    """
    told = Told(sale.order_id, sale.placed_at, sale.discount, sale.coupon)
    there = select_told_order(conn, sale.store_id, sale.order_id)
    if there is None:
        try:
            return place_order(
                conn,
                customer_id=customer_id,
                channel=sale.channel,
                items=sale.items,
                currency=sale.discount.currency,
                at=at,
                store_id=sale.store_id,
                sold_by=sale.sold_by,
                told=told,
                ceilings=ceilings,
            )
        except Conflict:  # Somebody else has told it since we looked.
            there = select_told_order(conn, sale.store_id, sale.order_id)
            if there is None:
                raise
    return _require_same(conn, there, sale, customer_id)


def _require_same(conn: WriteConnection, there: Order, sale: SaleTold, customer_id: CustomerId) -> Order:
    people = {select_customer(conn, each) for each in (there.customer_id, customer_id)}
    if len(people) > 1:
        raise Conflict(f"order {sale.order_id} is there already, of another customer")
    lines = sum((item.unit_price.times(item.quantity) for item in sale.items if item.unit_price), -sale.discount)
    if there.amount != lines:
        raise Conflict(f"order {sale.order_id} is there already, with another amount")
    return there


def _refund(conn: WriteConnection, event: Event) -> None:
    refund_told_return(conn, read_return(event))


def _cancel(conn: WriteConnection, event: Event) -> None:
    """All that is left of the order is given back, whatever amounts the event names."""
    told = read_return(event)
    order = _require_order(conn, told)
    if order.refunded != order.amount:
        refund_order(conn, order.order_id, amount=order.amount - order.refunded, at=told.at, reason="cancelled")


def refund_told_return(conn: WriteConnection, told: ReturnTold) -> None:
    """Give back on the order that a return names; one that was told before, under its own id, is that one.

    Raises NotFound while the order has not come, InvalidInput, and Conflict for more than is left of it.
    """
    order = _require_order(conn, told)
    currency = order.amount.currency
    if told.currency not in (None, currency):
        raise InvalidInput(f"order {told.order_id} is in {currency}, the refund in {told.currency}")
    amount = order.amount - order.refunded if told.amount is None else Money.from_decimal(told.amount, currency)
    refund_order(conn, order.order_id, amount=amount, at=told.at, reason="returned", external_id=told.refund_id)


def _require_order(conn: WriteConnection, told: ReturnTold) -> Order:
    order = select_told_order(conn, told.store_id, told.order_id)
    if order is None:
        raise NotFound(f"order {told.order_id} is not known here: replay this once it has come")
    return order
