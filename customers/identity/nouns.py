"""What is said of who somebody is, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NewType

from customers.identifiers import Identifier
from customers.nouns import Namespace
from millpond.kernel.ids import CustomerId

MergeId = NewType("MergeId", str)

USED_BY_SEVERAL = frozenset({Namespace.ANONYMOUS, Namespace.DEVICE})
"""A browser, a tablet, a television: whoever used it last has it, and it proves nothing of who they are."""

HASHED = frozenset({Namespace.EMAIL, Namespace.PHONE})
"""By what people would be found elsewhere: their keys are HMACs, and empty where the value was nobody's."""


class Trust(StrEnum):
    """Who speaks. `public`: a key that everybody has who opens a page or an app; it may say only by which login an
    anonymous id signed in. `source`: a source with the scope `identify`. `own`: evidence of ours, such as a
    customer's own token, a scan, a receipt's code, or an operator.
    """

    PUBLIC = "public"
    SOURCE = "source"
    OWN = "own"


class Refused(StrEnum):
    """Why a claim was not believed."""

    NOT_BY_A_PUBLIC_KEY = "not_by_a_public_key"
    BLOCKED_VALUE = "blocked_value"
    PROVES_NOTHING = "proves_nothing"
    BELONGS_TO_ANOTHER = "belongs_to_another"
    TOO_MANY_CUSTOMERS = "too_many_customers"
    TOO_MANY_IDENTIFIERS = "too_many_identifiers"
    SHARED_DEVICE = "shared_device"
    OUT_OF_ORDER = "out_of_order"


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says: `one` is the same person's as `other`, another identifier or a customer's id of ours.

    `at` is when it was so, by the clock of who saw it; `because` a word (identify, alias, scan, receipt, …), and
    `evidence` ids and words that prove it. Keys of e-mail and phone are HMACs. `before` is `one` under the key that
    was in use before, while keys are rotated.
    """

    one: Identifier
    other: Identifier | CustomerId
    because: str
    at: datetime
    evidence: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    before: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """What became of some claims: how many customers were opened, identifiers linked, links ended, and customers
    merged, and how many claims were refused by reason. What was known already is in none of them.
    """

    opened: int = 0
    linked: int = 0
    ended: int = 0
    merged: int = 0
    refused: Mapping[Refused, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Merge:
    """`absorbed` was found to be `survivor`; both stood for themselves at that moment."""

    merge_id: MergeId
    absorbed: CustomerId
    survivor: CustomerId
    merged_at: datetime
    because: str
    evidence: Mapping[str, Any]
    merged_by: str
    undone_at: datetime | None
    undone_by: str | None
