"""The commission ledger: entries, accounts, plans and payouts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from millpond.kernel.ids import EntryId, StaffId
from millpond.kernel.money import Money


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
class LedgerTotals:
    """The whole ledger in one currency. `balance` is the trial balance: always zero."""

    currency: str
    expense: Money
    pending: Money
    available: Money
    paid: Money
    balance: Money
    entries: int
