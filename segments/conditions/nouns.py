"""A condition, once it is read: what holds of a customer who is in a segment."""

from dataclasses import dataclass
from typing import Literal

from customers.nouns import Purpose


@dataclass(frozen=True, slots=True)
class Every:
    """All of them hold (`and`), or at least one (`or`)."""

    word: Literal["and", "or"]
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Compare:
    """A field stands so to a value; `currency` is said of money alone."""

    field: str
    op: str
    value: float | str | tuple[str, ...]
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Bought:
    """They bought of a category or a product, in at least so many orders of the days before."""

    category: str | None
    sku: str | None
    within_days: int
    at_least: int


@dataclass(frozen=True, slots=True)
class Did:
    """Events of a name, of a category or a product where one is said, at least so many in the days before."""

    event: str
    category: str | None
    sku: str | None
    within_days: int
    at_least: int


@dataclass(frozen=True, slots=True)
class Interest:
    """What they did shows so much interest in a category, at least."""

    category: str
    at_least: float


@dataclass(frozen=True, slots=True)
class Propensity:
    """How probable it is that they buy of a category soon, at least (0 to 1)."""

    category: str
    at_least: float


@dataclass(frozen=True, slots=True)
class InSegment:
    """They are a member of another segment now."""

    segment_id: str


@dataclass(frozen=True, slots=True)
class Agrees:
    """Their consent to a purpose holds."""

    purpose: Purpose


Condition = Every | Not | Compare | Bought | Did | Interest | Propensity | InSegment | Agrees
