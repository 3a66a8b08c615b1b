"""Proposals to customers, and why each was made or not made."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

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


UNANSWERED = (OfferState.OPEN, OfferState.SEEN)
"""The states of an offer that can still be answered."""


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


class GateName(StrEnum):
    """The rules that an offer must pass. Each has a sentence for the customer in every language of `words/`."""

    CUSTOMER_KNOWN = "customer_known"
    CONSENTED = "consented"
    NOT_IN_DOUBT = "not_in_doubt"
    FORECAST_GOOD = "forecast_good"
    DUE = "due"
    NOT_REPLACED = "not_replaced"
    DEVICE_NEW = "device_new"
    NO_OPEN_OFFER = "no_open_offer"
    NOT_ANSWERED = "not_answered"
    NOT_ORDERED = "not_ordered"
    NOT_OWNED = "not_owned"
    COMPATIBLE = "compatible"
    PRICE_KNOWN = "price_known"


@dataclass(frozen=True, slots=True)
class Gate:
    """What one rule said: whether it let the offer pass, and why, in one English sentence."""

    gate: GateName
    passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What an offer is about: ('installation', its id), ('device', its id), or something that is no device at all.

    `device_id` and `installation_id` repeat the key as the number that it is, where the subject is a device or part.
    """

    kind: str
    key: str
    device_id: DeviceId | None = None
    installation_id: InstallationId | None = None

    @classmethod
    def of_part(cls, device_id: DeviceId, installation_id: InstallationId) -> Self:
        """One part in one device."""
        return cls("installation", str(installation_id), device_id, installation_id)

    @classmethod
    def of_device(cls, device_id: DeviceId) -> Self:
        """A device as a whole."""
        return cls("device", str(device_id), device_id)


@dataclass(frozen=True, slots=True)
class Household:
    """Who is to be decided: a customer, or, with None, a device that nobody owns; and how many candidates they have."""

    customer_id: CustomerId | None
    device_id: DeviceId | None
    candidates: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an offer stands on the slate of its household, the first at 1."""

    slate_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A stored verdict: why this offer, or why none.

    `policy` is the name and version of the rules that ranked it, by `score`; `propensity` is the probability with which
    they put it where it is. A no stands for a run of the same noes: so many `times`, from `decided_at` to `last_at`.
    """

    decision_id: DecisionId
    customer_id: CustomerId | None
    trigger: Trigger
    subject: Subject
    sku: Sku
    decided_at: datetime
    outcome: Outcome
    failed_gate: GateName | None
    candidates: list[dict[str, Any]]
    gates: tuple[Gate, ...]
    policy: str
    score: float | None
    propensity: float | None
    place: Place | None
    times: int
    last_at: datetime
    offer_id: OfferId | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal to one customer. `credited_to` was bound when it was issued; an order counts for who is bound then."""

    offer_id: OfferId
    decision_id: DecisionId
    customer_id: CustomerId
    subject: Subject
    sku: Sku
    reason_code: ReasonCode
    facts: dict[str, Any] = field(hash=False)
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
    CONSENT_WITHDRAWN = "consent_withdrawn"


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
