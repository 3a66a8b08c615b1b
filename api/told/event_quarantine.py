"""Calls that could not be taken as events, and the tracking plan, as operators are told."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.models import Out
from events.plan.plan import Plan
from events.quarantine.nouns import SetAside


class PlannedEventOut(Out):
    """An event of the plan: what it says, where its SKU, order and value stand, and what its properties are like."""

    name: str
    says: str
    sku: list[str]
    order: list[str]
    value: list[str]
    properties: Annotated[dict[str, Any], Field(description="JSON Schema, 2020-12.")]


class UnknownEventOut(Out):
    """Events that are kept although the plan says nothing of them; an empty name is all beyond a thousand."""

    source: str
    name: str
    events: int
    first_at: datetime
    last_at: datetime


class PlanOut(Out):
    """The tracking plan in force, and the events that it does not know."""

    events: list[PlannedEventOut]
    unknown: list[UnknownEventOut]


class SetAsideOut(Out):
    """A call that was set aside, and why; `raw` is text, with replacement characters where it is no UTF-8."""

    quarantine_id: int
    source: str
    known_as: Annotated[str, Field(description="The message id, or the SHA-256 of its bytes.")]
    name: str
    reason: str
    detail: str
    raw: str
    size_bytes: int
    first_at: datetime
    last_at: datetime
    times: int
    replayed_at: Annotated[datetime | None, Field(description="When it was taken after all.")]


class SetAsideGroupOut(Out):
    """What waits of one source's events of one name, for one reason."""

    reason: str
    source: str
    name: str
    calls: int
    first_at: datetime
    last_at: datetime
    example: str


class ReplayedOut(Out):
    """How many calls were taken after all, and how many are refused still."""

    taken: int
    refused: int
    dry_run: bool
    next_after: Annotated[int, Field(description="Replay again with it as `after`, until nothing is taken or refused.")]


def show_events(plan: Plan) -> list[PlannedEventOut]:
    """The events of the plan, by name."""
    return [
        PlannedEventOut(
            name=name,
            says=event.says,
            sku=list(event.sku),
            order=list(event.order),
            value=list(event.value),
            properties=plan.schemas[name],
        )
        for name, event in sorted(plan.events.items())
    ]


def show_set_aside(call: SetAside) -> SetAsideOut:
    """A call that was set aside."""
    return SetAsideOut(
        quarantine_id=call.quarantine_id,
        source=call.source,
        known_as=call.known_as,
        name=call.name,
        reason=call.reason,
        detail=call.detail,
        raw=call.raw.decode("utf-8", "replace").replace("\x00", "\ufffd"),
        size_bytes=call.size_bytes,
        first_at=call.first_at,
        last_at=call.last_at,
        times=call.times,
        replayed_at=call.replayed_at,
    )
