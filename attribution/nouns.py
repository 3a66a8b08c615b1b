"""People, bindings, orders and the ledger, as the rest of the house sees them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from attribution.hold_nouns import HoldDecision
from millpond.kernel.ids import BindingId, CustomerId, EntryId, OfferId, OrderId, RefundId, Sku, StaffId, StoreId
from millpond.kernel.money import Money


class Channel(StrEnum):
    """Where an order was placed."""

    APP = "app"
    STORE = "store"
    WEB = "web"


class CodeKind(StrEnum):
    """`badge`: printed, lives until voided. `screen`: shown for a minute, binds once."""

    BADGE = "badge"
    SCREEN = "screen"


class TakeOver(StrEnum):
    """Whether a scan of another person's code may end a binding in force."""

    NEVER = "never"
    AFTER_PROTECTION = "after_protection"
    ALWAYS = "always"


class ScanOutcome(StrEnum):
    """`already_bound`: the binding that was in force stays."""

    BOUND = "bound"
    ALREADY_BOUND = "already_bound"


class EntryKind(StrEnum):
    """What a ledger entry records."""

    EARNED = "earned"
    CLAWED_BACK = "clawed_back"
    RELEASED = "released"
    PAID_OUT = "paid_out"
    REJECTED = "rejected"


class AccountKind(StrEnum):
    """Staff accounts are positive when we owe; the expense account is their mirror."""

    EXPENSE = "commission_expense"
    PENDING = "commission_pending"
    AVAILABLE = "commission_available"
    PAID = "commission_paid"


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
class StaffCode:
    """A staff code whose signature was verified and which has not expired. Badges have no nonce and no expiry."""

    kind: CodeKind
    staff_id: StaffId
    badge_version: int | None
    nonce: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class BindingPolicy:
    """Who may take a customer over, for how long a binding holds (None: for good), and the limits of hand-over."""

    take_over: TakeOver
    protection_days: int
    validity_days: int | None
    max_transfers: int
    transfer_window_days: int
    transfer_delay_hours: int
    leaver_days: int


@dataclass(frozen=True, slots=True)
class Binding:
    """This customer is credited to this person from, until (half-open; None is for good).

    `follows` is the binding it took over from. A transfer is a binding that begins in the future; one that was refused
    has `refused_at` and never counts.
    """

    binding_id: BindingId
    customer_id: CustomerId
    staff_id: StaffId
    bound_from: datetime
    bound_until: datetime | None
    source: str
    follows: BindingId | None
    reason: str | None
    refused_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan came to: the binding now in force, and whether this scan made it."""

    binding: Binding
    outcome: ScanOutcome


@dataclass(frozen=True, slots=True)
class OrderItem:
    """What is asked for. `unit_price` is None for the list price; only the offers room states another."""

    sku: Sku
    quantity: int = 1
    unit_price: Money | None = None


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


@dataclass(frozen=True, slots=True)
class CommissionPlan:
    """`rate_bp` basis points of what the customer keeps; payable once the return window has passed."""

    plan_id: int
    rate_bp: int
    return_window_days: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of a ledger entry; positive adds to the account. `staff_id` is None only for the expense account."""

    kind: AccountKind
    staff_id: StaffId | None
    amount: Money


@dataclass(frozen=True, slots=True)
class Payout:
    """One payment of what was available to a person in one currency."""

    entry_id: EntryId
    staff_id: StaffId
    amount: Money
    paid_at: datetime


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


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """The whole ledger in one currency. `balance` is the trial balance: always zero."""

    currency: str
    expense: Money
    pending: Money
    available: Money
    paid: Money
    balance: Money
    entries: int
