"""Proposals to customers, and why each was made or not made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, Self

from attribution.nouns import Order
from millpond.kernel.ids import BindingId, CustomerId, DecisionId, DeviceId, InstallationId, OfferId, Sku, StaffId
from millpond.kernel.money import Money
from millpond.kernel.settings import Settings


class Trigger(StrEnum):
    """What makes us think of an offer."""

    DEPLETION = "depletion"
    NEW_DEVICE = "new_device"


class ReasonCode(StrEnum):
    """Why an offer is made, as the customer is told."""

    DEPLETION = "depletion"
    FITS_NEW_DEVICE = "fits_new_device"


class OfferState(StrEnum):
    """An offer's life. `open` and `seen` await an answer; the others are final, but for accepted → ordered."""

    OPEN = "open"
    SEEN = "seen"
    ACCEPTED = "accepted"
    ORDERED = "ordered"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What a decision came to."""

    ISSUED = "issued"
    NOT_ISSUED = "not_issued"


@dataclass(frozen=True, slots=True)
class LeadTime:
    """How long before depletion an offer is due: the days a delivery takes, and a margin."""

    delivery_days: int
    margin_days: int

    @property
    def total(self) -> timedelta:
        """Delivery and margin together."""
        return timedelta(days=self.delivery_days + self.margin_days)

    @property
    def delivery(self) -> timedelta:
        """The delivery alone."""
        return timedelta(days=self.delivery_days)


@dataclass(frozen=True, slots=True)
class Depletion:
    """The newest forecast of an installation: three dates, or a reason why there are none."""

    at: datetime
    method: str
    reason: str | None
    reason_code: str | None
    remaining_pct: float | None
    threshold_pct: float
    p10: datetime | None
    p50: datetime | None
    p90: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that a household may need, and what made us think of it.

    `names` are the device model's, `part_names` the consumable's (empty for a new device), by language. `relation`,
    `evidence` and `condition` are those of the compatibility edge between model and product, where there is one.
    """

    trigger: Trigger
    customer_id: CustomerId | None
    device_id: DeviceId
    serial: str
    names: dict[str, str]
    device_installed_at: datetime
    sku: Sku
    installation_id: InstallationId | None = None
    part_names: dict[str, str] | None = None
    depletion: Depletion | None = None
    relation: str | None = None
    evidence: str | None = None
    condition: str | None = None


class Thing(Protocol):
    """What a household may need: a product for one device, and there for one installation or for the device itself."""

    @property
    def device_id(self) -> DeviceId:
        """The device."""

    @property
    def installation_id(self) -> InstallationId | None:
        """The part that is used up; None for what fits a device."""

    @property
    def sku(self) -> Sku:
        """The product."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the household when an offer is decided.

    `spare` counts unused units of the product at home; `rank` is this installation's place among the household's
    installations of the same product, first to deplete first, so that `spare >= rank` means it is provided for.
    `replaced`: the installation is no longer in the device. `undone`: it never was, its replacement was undone.
    `owned`: the household has or ordered such a product.
    `last_answer` is how the last offer of this ended, when that was `declined` or `expired`.
    """

    open_offer: OfferId | None
    last_answer: OfferState | None
    last_answer_at: datetime | None
    incompatible: str | None
    spare: int
    rank: int
    owned: bool
    replaced: bool
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator sets: the lead time, the discount in basis points, and how long a device counts as new."""

    lead: LeadTime
    discount_bp: int
    new_device_days: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The rules as they are set now."""
        lead = LeadTime(settings.delivery_days, settings.margin_days)
        return cls(lead, settings.offer_discount_bp, settings.new_device_days)


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule: whether it let the offer pass, and why, in one English sentence."""

    gate: str
    passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Price before, price now, until when. `in_time`: a reply by then arrives before the part may be used up."""

    list_price: Money
    price: Money
    valid_from: datetime
    reply_by: datetime
    valid_until: datetime
    in_time: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """All gates, and the terms when every one let the offer pass."""

    gates: tuple[Gate, ...]
    terms: Terms | None

    @property
    def outcome(self) -> Outcome:
        """Issued when there are terms."""
        return Outcome.ISSUED if self.terms else Outcome.NOT_ISSUED

    @property
    def failed_gate(self) -> str | None:
        """The first rule that stood against the offer."""
        return next((gate.gate for gate in self.gates if not gate.passed), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """A stored verdict: why this offer, or why none."""

    decision_id: DecisionId
    customer_id: CustomerId | None
    trigger: Trigger
    device_id: DeviceId
    installation_id: InstallationId | None
    sku: Sku
    decided_at: datetime
    outcome: Outcome
    failed_gate: str | None
    candidates: list[dict[str, Any]]
    gates: tuple[Gate, ...]
    offer_id: OfferId | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal to one customer. `credited_to` was bound when it was issued; an order counts for who is bound then."""

    offer_id: OfferId
    decision_id: DecisionId
    customer_id: CustomerId
    device_id: DeviceId
    installation_id: InstallationId | None
    sku: Sku
    reason_code: ReasonCode
    facts: dict[str, Any]
    state: OfferState
    list_price: Money
    price: Money
    valid_from: datetime
    reply_by: datetime
    valid_until: datetime
    binding_id: BindingId | None
    credited_to: StaffId | None
    issued_at: datetime


class Withdrawal(StrEnum):
    """Why an open offer is taken back."""

    REPLACED = "replaced"
    REPLACEMENT_UNDONE = "replacement_undone"
    PROVIDED_FOR = "provided_for"
    OWNED = "owned"
    OWNER_CHANGED = "owner_changed"


@dataclass(frozen=True, slots=True)
class OfferEvent:
    """One step of an offer's life. `actor` is a customer id, or `job`, `order`; `reason` says why it was withdrawn."""

    state: OfferState
    at: datetime
    actor: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An accepted offer and the order it became."""

    offer: Offer
    order: Order


@dataclass(frozen=True, slots=True)
class OfferSummary:
    """What one run of the job did.

    `credited` counts issued offers whose customer is bound to somebody; `failed` candidates are in the log.
    """

    candidates: int
    issued: int
    credited: int
    not_issued: int
    failed: int
    withdrawn: int
    expired: int


@dataclass(frozen=True, slots=True)
class Reason:
    """An offer in a customer's language: why, until when, at what price."""

    headline: str
    why: str
    terms: str
