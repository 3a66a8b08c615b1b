"""Two units under one serial: noticed where boots, or the sessions of a status, take turns.

A device that starts again changes its boot once, and the old one never comes back with anything newer. Where a name
that was live comes back after another was, two units speak. Nothing is refused: both are stored, the operator is told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np

from ingest.nouns import Decoded, Delivery, Lane
from ingest.plain import PlainMessages
from millpond.kernel.arrays import from_us

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


def heard_in(decoded: Decoded) -> Heard | None:
    """Who spoke live in a message; it has one boot, and its last sample says how far that is.

    What the broker kept, or hands out once more, was said at another time; a sample is known by its number.
    """
    delivery, status = decoded.delivery, decoded.status
    if not _is_live(delivery):
        return None
    if status is not None:
        new = status.state == "online" and not delivery.redelivered
        return Heard(decoded.serial, "session", status.session, delivery.received_at, None) if new else None
    sample = decoded.readings[-1].sample if decoded.readings else None
    if sample is None:
        return None
    return Heard(decoded.serial, "boot", sample.boot, decoded.readings[-1].reading.measured_at, sample.seq)


def heard_in_plain(plain: PlainMessages, serials: Collection[str]) -> list[tuple[int, Heard]]:
    """Who of these devices spoke live in plain messages, each with the message's place."""
    # The last sample of each message; they stand in the order of messages.
    last = np.searchsorted(plain.message_of, np.arange(len(plain)), side="right") - 1
    heard = []
    for message in np.flatnonzero(plain.is_of(serials)).tolist():
        if _is_live(plain.deliveries[message]):
            serial, boot = plain.boots[plain.boot_of[message]]
            at, seq = from_us(plain.measured_us[last[message]]), int(plain.seqs[last[message]])
            heard.append((int(plain.places[message]), Heard(serial, "boot", boot, at, seq)))
    return heard


def _is_live(delivery: Delivery) -> bool:
    return delivery.lane is Lane.LIVE and not delivery.retained


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
