"""Staff codes and scans, bindings, and the policy by which a binding is made or ends."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from millpond.kernel.ids import BindingId, CustomerId, StaffId


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
