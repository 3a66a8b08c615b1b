"""Sales and refunds, as people are told."""

from datetime import datetime

from api.auth import Caller
from api.models import MoneyOut, Out
from api.visible.orders import may_see_credit
from attribution.nouns import Channel, Order

_OF_THE_CREDITED = ("credited_to", "binding_id")


class OrderLineOut(Out):
    """One line of an order at the price it was sold for."""

    sku: str
    quantity: int
    unit_price: MoneyOut


class OrderOut(Out):
    """A sale in any channel; `credited_to` is the staff member whose binding was in force.

    Staff read `credited_to` and `binding_id` only where it is themselves; null says nothing to them.
    """

    order_id: str
    customer_id: str
    channel: Channel
    store_id: str | None
    sold_by: str | None
    offer_id: str | None
    binding_id: str | None
    credited_to: str | None
    amount: MoneyOut
    refunded: MoneyOut
    placed_at: datetime
    lines: list[OrderLineOut]


class RefundOut(Out):
    """Money given back, and the commission that was reversed with it."""

    refund_id: str
    order_id: str
    amount: MoneyOut
    clawed_back: MoneyOut
    refunded_at: datetime
    reason: str | None


class OrderDetail(OrderOut):
    """An order with the refunds on it, oldest first."""

    refunds: list[RefundOut]


def show_order(caller: Caller, order: Order) -> OrderOut:
    """The order as the caller may read it: staff learn who is credited only where it is themselves."""
    shown = OrderOut.model_validate(order)
    return shown if may_see_credit(caller, order) else shown.model_copy(update=dict.fromkeys(_OF_THE_CREDITED))
