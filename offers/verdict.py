"""What is known when an offer is decided, and what the decision is."""

from dataclasses import dataclass
from datetime import datetime

from catalogue.nouns import Product
from customers.nouns import Customer, Purpose
from millpond.kernel.ids import CustomerId, OfferId, Sku
from millpond.kernel.money import Money
from offers.causes import Candidate
from offers.nouns import Gate, GateName, OfferState, Outcome, Place, Subject


@dataclass(frozen=True, slots=True)
class Thing:
    """What a household may need: a product, and what for. Facts are asked for by it."""

    customer_id: CustomerId | None
    subject: Subject
    sku: Sku


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a household and a thing it may need.

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

    @property
    def ran_out(self) -> bool:
        """Whether nobody answered the last offer: what it took off the price is gone, the need may not be."""
        return self.last_answer == OfferState.EXPIRED


@dataclass(frozen=True, slots=True)
class Situation:
    """A candidate, and all that its decision depends on."""

    candidate: Candidate
    facts: Facts
    customer: Customer | None
    consents: frozenset[Purpose]
    product: Product | None


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
    def failed_gate(self) -> GateName | None:
        """The first rule that stood against the offer."""
        return next((gate.gate for gate in self.gates if not gate.passed), None)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict that is to be kept. `score`, `place` and `offer_id` are there when an offer is to be issued."""

    situation: Situation
    verdict: Verdict
    score: float | None = None
    place: Place | None = None
    offer_id: OfferId | None = None
