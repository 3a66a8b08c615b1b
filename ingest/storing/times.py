"""The time at which each sample of a batch counts: its device's, or one of ours that no other sample of it has.

A sample with (boot, seq) that never came before is not a duplicate of anything. So a time that is made up for it must
meet no other, whatever the lane, the process or the server's clock: they are given one device at a time, under a lock.
It is the time of receiving, or an earlier one where the device said for how long it was on (`uptimes`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from devices.nouns import Reading
from devices.readings import TimeSpan, select_measured_between
from ingest.nouns import Decoded, DecodedReading, Delivery, SeqKey
from ingest.plain import BootKey
from ingest.storing.time_store import (
    ClockNews,
    insert_effective_times,
    lock_clocks,
    select_effective_times,
    select_read_before,
    update_clocks,
)
from ingest.storing.uptimes import Moment, OnFor, date_by_uptime, find_boot_starts
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import DeviceId

_STEP = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)
# So far the times of a burst may run ahead of ours: ten million samples. More is a server whose clock was set back.
_BURST = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Settled:
    """Readings at the times that count, each with the message that first brought its sample; and how many others were
    of samples that had come before. `times` is how many samples were given a time of ours that is kept, by serial;
    `boot_starts` what is newly known of when boots began."""

    readings: list[Reading]
    deliveries: list[Delivery]
    duplicates: int
    times: Mapping[str, int] = field(default_factory=dict)
    boot_starts: Mapping[BootKey, datetime] = field(default_factory=dict)


NOTHING_TO_SETTLE = Settled([], [], 0)


@dataclass(frozen=True, slots=True)
class _Sample:
    """What came of one sample in a batch, however often it came. The first time that it came decides."""

    key: SeqKey | None
    delivery: Delivery
    readings: list[DecodedReading] = field(default_factory=list)

    @property
    def first(self) -> DecodedReading:
        return self.readings[0]

    @property
    def device_id(self) -> DeviceId:
        return self.first.reading.device_id

    @property
    def is_doubtful(self) -> bool:
        return self.first.reading.corrected


def settle_times(conn: WriteConnection, batch: Sequence[Decoded], clock_past: timedelta, at: datetime) -> Settled:
    """The readings of a batch, each sample at one time: a redelivery must find its own key again.

    What is dated by its device's uptime is so at most `clock_past` before it came.
    """
    samples = _group_by_sample(batch)
    doubtful = [sample for sample in samples if sample.is_doubtful]
    # Before anything is looked up: what another writer is making up must be seen here.
    newest = lock_clocks(conn, {sample.device_id for sample in doubtful}, at) if doubtful else {}
    keys = [sample.key for sample in samples if sample.key is not None]
    known = select_effective_times(conn, keys) if keys else {}
    new = _never_came(conn, [sample for sample in doubtful if sample.key not in known])
    taken = {(s.device_id, r.reading.measured_at) for s in samples for r in s.readings if not r.reading.corrected}
    on_for = {id(sample): one for sample in new if (one := _on_for(sample))}
    starts = find_boot_starts(conn, batch, on_for.values())
    dated = date_by_uptime(conn, on_for, starts.known, clock_past, taken)
    others = [sample for sample in new if id(sample) not in dated]
    times = _make_up_times(conn, others, newest, taken) if others else []
    made_up = {id(sample): time for sample, time in zip(others, times, strict=True)} | dated
    if new:
        _remember(conn, new, made_up, dated, newest, at)
    settled = _settle([(sample, known.get(sample.key) if sample.key else None) for sample in samples], made_up)
    times_of = Counter(sample.key.serial for sample in new if sample.key is not None)
    return replace(settled, times=times_of, boot_starts=starts.news)


def _group_by_sample(batch: Sequence[Decoded]) -> list[_Sample]:
    samples: dict[SeqKey | tuple[int, int], _Sample] = {}
    for number, decoded in enumerate(batch):
        for reading in decoded.readings:
            identity = reading.sample or (number, reading.index)
            sample = samples.setdefault(identity, _Sample(reading.sample, decoded.delivery))
            sample.readings.append(reading)
    return list(samples.values())


def _never_came(conn: ReadConnection, doubtful: Sequence[_Sample]) -> list[_Sample]:
    """Those that are new. One that came before had a good time then, or one of ours that is no longer kept."""
    keys = [sample.key for sample in doubtful if sample.key is not None]
    before = select_read_before(conn, keys) if keys else set()
    return [sample for sample in doubtful if sample.key not in before]


def _on_for(sample: _Sample) -> OnFor | None:
    first = sample.first
    if sample.key is None or first.uptime is None:
        return None
    metric_ids = tuple(decoded.reading.metric_id for decoded in sample.readings)
    return OnFor(sample.key, sample.device_id, metric_ids, first.uptime, first.reading.received_at)


def _make_up_times(
    conn: ReadConnection, new: Sequence[_Sample], newest: Mapping[DeviceId, datetime | None], taken: set[Moment]
) -> list[datetime]:
    """A time for each sample that no reading of its series has; where many have one, each look goes further ahead."""
    ahead = _MILLISECOND
    while True:
        times = _next_times(new, newest, taken)
        met = select_measured_between(conn, list(_spans(new, times, ahead)))
        if not any((sample.device_id, time) in met for sample, time in zip(new, times, strict=True)):
            return times
        taken |= met
        ahead *= 4


def _next_times(
    new: Sequence[_Sample], newest: Mapping[DeviceId, datetime | None], taken: set[Moment]
) -> list[datetime]:
    times: list[datetime] = []
    last, taken = dict(newest), set(taken)
    for sample in new:
        time, before = sample.first.reading.measured_at, last[sample.device_id]
        if before is not None and timedelta(0) <= before - time < _BURST:
            time = before + _STEP
        # Whole milliseconds are left to devices with a clock.
        while not time.microsecond % 1000 or (sample.device_id, time) in taken:
            time += _STEP
        last[sample.device_id] = time
        taken.add((sample.device_id, time))
        times.append(time)
    return times


def _spans(new: Sequence[_Sample], times: Sequence[datetime], ahead: timedelta) -> Iterator[TimeSpan]:
    by_series: dict[tuple[DeviceId, int], list[datetime]] = {}
    for sample, time in zip(new, times, strict=True):
        for decoded in sample.readings:
            by_series.setdefault((sample.device_id, decoded.reading.metric_id), []).append(time)
    for (device_id, metric_id), moments in by_series.items():
        yield TimeSpan(device_id, metric_id, min(moments), max(moments) + ahead)


def _remember(
    conn: WriteConnection,
    new: Sequence[_Sample],
    times: Mapping[int, datetime],
    dated: Mapping[int, datetime],
    newest: Mapping[DeviceId, datetime | None],
    at: datetime,
) -> None:
    keyed = {sample.key: times[id(sample)] for sample in new if sample.key is not None}
    came_ats = {sample.key: sample.first.reading.received_at for sample in new if sample.key and id(sample) in dated}
    if keyed:
        insert_effective_times(conn, keyed, came_ats)
    news: dict[DeviceId, ClockNews] = {}
    for sample in new:
        device_id, said_at, received_at = sample.device_id, sample.first.said_at, sample.first.reading.received_at
        offset_s = None if said_at is None else (said_at - received_at).total_seconds()
        before = news.get(device_id) or ClockNews(newest[device_id], 0, None)
        # Those that go on from the last one that was made up go on from times of receiving.
        made_up_to = before.made_up_to if id(sample) in dated else times[id(sample)]
        news[device_id] = ClockNews(made_up_to, before.samples + 1, offset_s)
    update_clocks(conn, news, at)


def _settle(samples: Sequence[tuple[_Sample, datetime | None]], made_up: Mapping[int, datetime]) -> Settled:
    readings: list[Reading] = []
    deliveries: list[Delivery] = []
    duplicates = 0
    for sample, known in samples:
        settled = _at_its_time(sample, known or made_up.get(id(sample)))
        readings += settled
        deliveries += [sample.delivery] * len(settled)
        duplicates += len(sample.readings) - len(settled)
    return Settled(readings, deliveries, duplicates)


def _at_its_time(sample: _Sample, time: datetime | None) -> list[Reading]:
    """The readings of a sample that has a time: one that was made up, or else its own."""
    readings = [decoded.reading for decoded in sample.readings]
    if time is not None:
        return [replace(reading, measured_at=time, corrected=True) for reading in readings]
    if sample.is_doubtful:
        return [reading for reading in readings if not reading.corrected]
    # Some may have come with a good time first: our clock was set between two deliveries of one batch.
    first = sample.first.reading.measured_at
    return [replace(r, measured_at=first, corrected=False) if r.corrected else r for r in readings]
