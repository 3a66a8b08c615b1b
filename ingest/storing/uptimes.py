"""Samples without a good time whose device says for how long it was on: measured so long after its boot began.

When a boot began is the running minimum of "received less uptime" over live messages: a message can come late, never
early. It begins anew where a live message is later than it can be: an uptime stood while its device slept, or jumped,
or our own clock did. So what comes live is dated at most a minute before it came, whatever its device says.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from devices.readings import TimeSpan, select_measured_between
from ingest.nouns import Decoded, SeqKey
from ingest.plain import BootKey
from ingest.storing.time_store import select_boot_starts, select_times_before
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import DeviceId

_LATE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)
_PLACES = 1000

Moment = tuple[DeviceId, datetime]


@dataclass(frozen=True, slots=True)
class BootStarts:
    """When boots began, as far as it is known after a batch; `news` are those of which the batch said something new."""

    known: Mapping[BootKey, datetime] = field(default_factory=dict)
    news: Mapping[BootKey, datetime] = field(default_factory=dict)


class OnFor(NamedTuple):
    """A sample with a number whose device was on for so long when it measured, and the metrics of its readings."""

    key: SeqKey
    device_id: DeviceId
    metric_ids: tuple[int, ...]
    uptime: timedelta
    received_at: datetime

    @property
    def boot(self) -> BootKey:
        """Of which boot it is."""
        return self.key.serial, self.key.boot


def find_boot_starts(conn: ReadConnection, batch: Sequence[Decoded], samples: Collection[OnFor]) -> BootStarts:
    """When the boots of `samples` began, and those of which messages of `batch` say it."""
    said = [((d.serial, d.boot), d.boot_began_at) for d in batch if d.seqs and d.boot and d.boot_began_at]
    boots = sorted({boot for boot, _ in said} | {sample.boot for sample in samples})
    before = select_boot_starts(conn, boots) if boots else {}
    after = dict(before)
    for boot, began_at in said:
        after[boot] = _follow(after.get(boot), began_at)
    return BootStarts(after, {boot: at for boot, at in after.items() if at != before.get(boot)})


def _follow(start: datetime | None, began_at: datetime) -> datetime:
    if start is None or began_at < start or began_at - start > _LATE:
        return began_at
    return start


def date_by_uptime(
    conn: ReadConnection,
    samples: Mapping[int, OnFor],
    starts: Mapping[BootKey, datetime],
    clock_past: timedelta,
    taken: set[Moment],
) -> dict[int, datetime]:
    """A time for each of `samples` that can be dated, which is then `taken`; those of a boot keep their numbers' order.

    It is before the sample came, at most `clock_past` before, and between whole milliseconds: those are left to clocks.
    """
    told = sorted((one for one in samples.values() if one.boot in starts), key=_order)
    if not told:
        return {}
    dated = dict(_milliseconds(conn, told, starts, clock_past))
    # Each millisecond once: many samples may want the same one, which is full.
    spans = {span for one in dated.items() for span in _spans(*one)}
    taken |= select_measured_between(conn, list(spans))
    times = dict(_places(dated, taken))
    taken |= {(one.device_id, time) for one, time in times.items()}
    return {number: times[one] for number, one in samples.items() if one in times}


def _milliseconds(
    conn: ReadConnection, told: Sequence[OnFor], starts: Mapping[BootKey, datetime], clock_past: timedelta
) -> Iterator[tuple[OnFor, datetime]]:
    before = select_times_before(conn, [sample.key for sample in told])
    last: dict[BootKey, datetime] = {}
    for sample in told:
        latest = sample.received_at - _MILLISECOND
        times = [starts[sample.boot] + sample.uptime, before.get(sample.key), last.get(sample.boot)]
        # What was dated after this one came has met another clock of ours.
        time = max(time for time in times if time is not None and (time is times[0] or time <= latest))
        time = time.replace(microsecond=time.microsecond // 1000 * 1000)
        if sample.received_at - clock_past <= time <= latest:
            last[sample.boot] = time
            yield sample, time


def _places(dated: Mapping[OnFor, datetime], taken: Collection[Moment]) -> Iterator[tuple[OnFor, datetime]]:
    """Of many in one millisecond each has a microsecond of its own, and what finds no room there is not dated."""
    following: dict[Moment, int] = {}
    for sample, time in dated.items():
        device_id = sample.device_id
        free = range(following.get((device_id, time), 1), _PLACES)
        moments = ((place, time + timedelta(microseconds=place)) for place in free)
        found = next(((place, at) for place, at in moments if (device_id, at) not in taken), None)
        following[device_id, time] = _PLACES if found is None else found[0] + 1
        if found is not None:
            yield sample, found[1]


def _spans(sample: OnFor, time: datetime) -> Iterator[TimeSpan]:
    return (TimeSpan(sample.device_id, metric, time, time + _MILLISECOND) for metric in sample.metric_ids)


def _order(sample: OnFor) -> tuple[str, str, int]:
    return (sample.key.serial, sample.key.boot, sample.key.seq)
