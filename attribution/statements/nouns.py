"""What staff read of their month and of their customers."""

from dataclasses import dataclass
from datetime import date, datetime

from attribution.hold_nouns import HoldDecision
from attribution.nouns import Channel
from millpond.kernel.ids import CustomerId, OrderId, StaffId, StoreId
from millpond.kernel.money import Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One order with what it moved within the month, all as positive numbers; `held` waits for an operator."""

    order_id: OrderId
    customer_id: CustomerId
    customer_name: str
    channel: Channel
    store_id: StoreId | None
    placed_at: datetime
    amount: Money
    refunded: Money
    earned: Money
    clawed_back: Money
    released: Money
    held: bool
    decision: HoldDecision | None


@dataclass(frozen=True, slots=True)
class StatementTotals:
    """One currency's month: orders placed in it, and what is pending and payable (may be negative) at its end."""

    currency: str
    orders: int
    earned: Money
    clawed_back: Money
    released: Money
    paid_out: Money
    pending: Money
    payable: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person sees of one month, `[begins_at, ends_at)` in the time zone of the person's store."""

    staff_id: StaffId
    month: date
    time_zone: str
    begins_at: datetime
    ends_at: datetime
    lines: tuple[StatementLine, ...]
    totals: tuple[StatementTotals, ...]


@dataclass(frozen=True, slots=True)
class BoundCustomer:
    """A customer as the person credited sees them."""

    customer_id: CustomerId
    external_key: str | None
    name: str
    bound_from: datetime
    last_order_id: OrderId | None
    last_order_at: datetime | None
    last_order: Money | None
    orders: int
