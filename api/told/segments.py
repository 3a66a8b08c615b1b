"""Segments and their members, as operators are told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from api.models import Out
from customers.nouns import Purpose


class SegmentOut(Out):
    """A name for those of whom `condition` holds. `members` is null until they are counted the first time.

    `needs` are the purposes that a customer must agree to before they are looked at for it, `refers` the segments that
    its condition names. One that is `built_in` ships with Millpond.
    """

    segment_id: str
    title: dict[str, str]
    condition: dict[str, Any]
    needs: list[Purpose]
    refers: list[str]
    built_in: bool
    created_at: datetime
    changed_at: datetime
    members: int | None
    counted_at: datetime | None


class MemberOut(Out):
    """Who is in a segment, since when, and what its condition saw of them when they came in."""

    customer_id: str
    since: datetime
    evidence: Mapping[str, Any]


class EstimateOut(Out):
    """What PostgreSQL expects: how many customers, at what cost in its own units."""

    customers: int
    cost: float


class PreviewOut(Out):
    """How many customers a condition fits, and some of them, with what it saw; a repeated call is told no examples."""

    told_once: ClassVar = ("examples",)

    estimate: EstimateOut
    size: int
    examples: list[MemberOut] | None
