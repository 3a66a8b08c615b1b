"""Clocks that are wrong and yet go, such as one that counts from 1970: what was measured keeps its distances in time.

How far a boot's clock is behind ours is the running minimum of "received less said" over its live samples: a message
can come late, never early. The sample is then taken to be measured at "said plus that". A clock that stands, goes much
slower than ours (seconds where milliseconds are meant), or was set back says nothing: the time of receiving counts.
So does one that loses a little all the time, as one that stands while its device sleeps: of two live samples that came
late one after the other the second has to catch up. What was measured after the last live sample, and came another way,
is dated only by a clock that was seen to go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.nouns import Delivery, Lane, SeqKey

_SLOWEST = 0.5
# Samples that come at once, after an outage, do not show how fast a clock goes.
_TELLING = timedelta(milliseconds=100)
_LATE = timedelta(minutes=10)
BootKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BootClock:
    """A boot's clock when it was last heard live: its highest number, what the clock said, and when that came.

    `goes` says that two live samples have shown it to go about as fast as ours.
    """

    seq: int
    said_at: datetime
    heard_at: datetime
    behind: timedelta
    goes: bool = False

    def dates(self, said_at: datetime) -> bool:
        """Whether it tells when a sample was measured. One that stands says the same of what came after."""
        return self.goes or said_at < self.said_at


@dataclass(frozen=True, slots=True)
class SaidTime:
    """What a sample's own clock said, and the message that brought it."""

    key: SeqKey
    said_at: datetime
    delivery: Delivery

    @property
    def boot(self) -> BootKey:
        """Whose clock it is."""
        return (self.key.serial, self.key.boot)

    @property
    def is_live(self) -> bool:
        """Whether it was sent when it was measured, as far as anybody can say."""
        delivery = self.delivery
        return delivery.lane is Lane.LIVE and not delivery.retained and not delivery.redelivered


def follow(
    known: Mapping[BootKey, BootClock], said: Sequence[SaidTime]
) -> tuple[dict[BootKey, BootClock], list[timedelta | None]]:
    """The clocks after what they said, in order of arrival; and for each sample by how much its clock was behind.

    None where that cannot be known. Of one message the newest sample says how late it is.
    """
    clocks, behind = dict(known), []
    newest = {(one.boot, id(one.delivery)): one for one in sorted(said, key=lambda one: one.key.seq)}
    for one in said:
        last = newest[one.boot, id(one.delivery)]
        if last.is_live:
            clocks[last.boot] = _hear(clocks.get(last.boot), last)
        clock = clocks.get(one.boot)
        behind.append(clock.behind if clock is not None and clock.dates(one.said_at) else None)
    return clocks, behind


def _hear(clock: BootClock | None, one: SaidTime) -> BootClock:
    received_at = one.delivery.received_at
    behind = received_at - one.said_at
    if clock is None:
        return BootClock(one.key.seq, one.said_at, received_at, behind)
    if one.key.seq <= clock.seq:
        return clock
    elapsed = received_at - clock.heard_at
    is_slow = one.said_at - clock.said_at < _SLOWEST * elapsed or _loses(clock, behind)
    if is_slow or one.said_at <= clock.said_at:
        # It stands, is slow, or was set: what it said before tells nothing of this.
        return BootClock(one.key.seq, one.said_at, received_at, behind)
    goes = clock.goes or elapsed >= _TELLING
    return BootClock(one.key.seq, one.said_at, received_at, min(clock.behind, behind), goes)


def _loses(clock: BootClock, behind: timedelta) -> bool:
    """Whether a live sample, and the one before it, are too late for messages on their way."""
    before = clock.heard_at - clock.said_at
    return before - clock.behind > _LATE and behind >= before
