"""Two units under one serial: noticed where boots, or the sessions of a status, take turns.

A device that starts again changes its boot once, and the old one never comes back with anything newer. Where a name
that was live comes back after another was, two units speak. Nothing is refused: both are stored, the operator is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ingest.nouns import Decoded, Lane

_BEFORE = 4
_RETURNS = 3
_WITHIN = timedelta(days=1)

NameKey = tuple[str, Literal["boot", "session"]]


class Heard(NamedTuple):
    """A name that spoke live. A boot did so with its sample `seq`, measured `at`; a session has no numbers."""

    serial: str
    kind: Literal["boot", "session"]
    name: str
    at: datetime
    seq: int | None

    @property
    def key(self) -> NameKey:
        return (self.serial, self.kind)


@dataclass(frozen=True, slots=True)
class Shared:
    """Two names that take turns: from when to when, and how often one of them came back."""

    names: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    returns: int


@dataclass(frozen=True, slots=True)
class LiveName:
    """The name that is live `since` a moment, those that were live before it and the last returns, newest first."""

    name: str
    since: datetime
    before: tuple[str, ...] = ()
    returned_at: tuple[datetime, ...] = ()
    shared: Shared | None = None


def heard_in(batch: Iterable[Decoded]) -> list[Heard]:
    """Who spoke live in a batch, in order; a message has one boot, and its last sample says how far that is.

    What the broker kept, or hands out once more, was said at another time; a sample is known by its number.
    """
    heard = []
    for decoded in batch:
        delivery, status = decoded.delivery, decoded.status
        if delivery.lane is not Lane.LIVE or delivery.retained:
            continue
        if status is not None:
            if status.state == "online" and not delivery.redelivered:
                heard.append(Heard(decoded.serial, "session", status.session, delivery.received_at, None))
        elif decoded.readings and (sample := decoded.readings[-1].sample):
            at = decoded.readings[-1].reading.measured_at
            heard.append(Heard(decoded.serial, "boot", sample.boot, at, sample.seq))
    return heard


def follow(
    known: Mapping[NameKey, LiveName], heard: Sequence[Heard], highest: Mapping[tuple[str, str], int], at: datetime
) -> dict[NameKey, LiveName]:
    """Who is live after what was heard. `highest` has the highest number that came of a (serial, boot) before."""
    live, numbers = dict(known), dict(highest)
    for one in heard:
        if one.seq is not None:
            if one.seq <= numbers.get((one.serial, one.name), -1):
                continue
            numbers[one.serial, one.name] = one.seq
        live[one.key] = _hear(live.get(one.key), one, at)
    return live


def _hear(live: LiveName | None, heard: Heard, at: datetime) -> LiveName:
    if live is None:
        return LiveName(heard.name, heard.at)
    # What was measured before the turn of the name that is live is what its device had kept.
    if heard.name == live.name or heard.at < live.since:
        return live
    before = (live.name, *(name for name in live.before if name != heard.name))[:_BEFORE]
    changed = replace(live, name=heard.name, since=heard.at, before=before)
    return _count_return(changed, at) if heard.name in live.before else changed


def _count_return(live: LiveName, at: datetime) -> LiveName:
    """Messages that overtake each other at a restart make two returns; a third within a day is no chance."""
    returned_at = (at, *live.returned_at)[:_RETURNS]
    live = replace(live, returned_at=returned_at)
    if len(returned_at) < _RETURNS or at - returned_at[-1] > _WITHIN:
        return live
    first_at, returns = (live.shared.first_at, live.shared.returns + 1) if live.shared else (returned_at[-1], _RETURNS)
    return replace(live, shared=Shared((live.name, live.before[0]), first_at, at, returns))
