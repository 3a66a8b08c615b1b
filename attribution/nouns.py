"""Stores and staff, orders and refunds, as the other packages see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from millpond.kernel.ids import BindingId, CustomerId, OfferId, OrderId, RefundId, Sku, StaffId, StoreId
from millpond.kernel.money import Money


class Channel(StrEnum):
    """Where an order was placed."""

    APP = "app"
    STORE = "store"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Store:
    """A shop; it sells in one currency, and its months begin at its own midnight."""

    store_id: StoreId
    name: str
    currency: str
    time_zone: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who sells. `customer_id` is the person's own customer account, if there is one."""

    staff_id: StaffId
    store_id: StoreId
    name: str
    customer_id: CustomerId | None
    badge_version: int
    employed_from: datetime
    left_at: datetime | None

    def employed_at(self, at: datetime) -> bool:
        """Whether this person works for us at that moment."""
        return self.employed_from <= at and (self.left_at is None or at < self.left_at)


@dataclass(frozen=True, slots=True)
class OrderItem:
    """What is asked for. `unit_price` is None for the list price; only offers states another."""

    sku: Sku
    quantity: int = 1
    unit_price: Money | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What another system says of a sale, besides what was sold: its own id of it, when it was, what it took off.

    `external_id` is unique in the order's store, or where it has none in the brand. Whoever was bound to the customer
    at `placed_at` is credited; None: now.
    """

    external_id: str | None = None
    placed_at: datetime | None = None
    discount: Money | None = None
    coupon: str | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of a placed order, at the price it was sold for."""

    sku: Sku
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class Order:
    """A sale in any channel; `credited_to` is whose binding was in force when it was placed, `sold_by` who sold it."""

    order_id: OrderId
    customer_id: CustomerId
    channel: Channel
    store_id: StoreId | None
    sold_by: StaffId | None
    offer_id: OfferId | None
    binding_id: BindingId | None
    credited_to: StaffId | None
    amount: Money
    refunded: Money
    placed_at: datetime
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back on an order, whole or in part, and the commission that it reversed (zero when uncredited)."""

    refund_id: RefundId
    order_id: OrderId
    amount: Money
    clawed_back: Money
    refunded_at: datetime
    reason: str | None
