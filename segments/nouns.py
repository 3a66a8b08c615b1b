"""Segments and their members, as the other packages see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType

from customers.nouns import Purpose
from millpond.kernel.ids import CustomerId

SegmentId = NewType("SegmentId", str)


@dataclass(frozen=True, slots=True)
class Segment:
    """A name for those of whom a condition holds.

    `needs` are the purposes that they must agree to, `refers` the segments that the condition names.
    """

    segment_id: SegmentId
    title: dict[str, str]
    condition: dict[str, Any]
    needs: tuple[Purpose, ...]
    refers: tuple[str, ...]
    built_in: bool
    created_at: datetime
    changed_at: datetime
    members: int | None
    counted_at: datetime | None

    def title_in(self, language: str) -> str:
        """What it is called in a language, else in English."""
        return self.title.get(language, self.title["en"])


@dataclass(frozen=True, slots=True)
class Member:
    """A customer who is in a segment: since when, and what its condition saw of them then."""

    customer_id: CustomerId
    since: datetime
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Belonging:
    """A segment that somebody is in: what it is called, since when, and why."""

    segment_id: SegmentId
    title: dict[str, str]
    since: datetime
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How many members a segment had at a moment."""

    at: datetime
    members: int
