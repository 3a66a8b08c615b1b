"""Commission that waits for an operator: why, above which ceilings, and what the look came to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from millpond.kernel.ids import CustomerId, OrderId, StaffId, StoreId
from millpond.kernel.money import Money


class HoldReason(StrEnum):
    """Why commission waits for an operator: the seller's own, or beyond a ceiling."""

    SELF_CREDITED = "self_credited"
    ORDER_CEILING = "order_ceiling"
    DAY_CEILING = "day_ceiling"


class HoldDecision(StrEnum):
    """What the operator's look came to."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Totals in minor units of an order's own currency, above which its commission waits for an operator.

    `order_minor` is of one order, `day_minor` of all that was credited to one person in the 24 hours up to it.
    """

    order_minor: int = 1_000_000
    day_minor: int = 3_000_000


@dataclass(frozen=True, slots=True)
class Hold:
    """Commission of one order that is not released unseen; `earned` is what the order earned, before any refund."""

    order_id: OrderId
    reason: HoldReason
    held_at: datetime
    decision: HoldDecision | None
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
    customer_id: CustomerId
    store_id: StoreId | None
    sold_by: StaffId | None
    credited_to: StaffId
    credited_name: str
    amount: Money
    earned: Money
