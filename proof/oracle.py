"""The devices' memory against the database: every value once, none missing, none invented, none changed."""

from collections import Counter
from dataclasses import dataclass, fields
from datetime import datetime

import psycopg

from proof.journal import METRICS, Kind, Sample

# What a sample's identity is (see proof/journal.py), beside when and with what it was stored or kept aside.
_STORED = """
select d.serial, m.name, r.value, round(extract(epoch from r.measured_at) * 1000000)::bigint, r.corrected, false
from reading r join device d using (device_id) join metric m using (metric_id)
where starts_with(d.serial, %(prefix)s) and r.received_at >= d.registered_at
union all
select d.serial, m.name, r.value, round(extract(epoch from r.measured_at) * 1000000)::bigint, false, true
from reading_conflict r join device d using (device_id) join metric m using (metric_id)
where starts_with(d.serial, %(prefix)s)
"""
_QUARANTINED = """
select encode(q.digest, 'hex'), count(*) from quarantine q join quarantined_message m using (digest)
where m.received_at >= %(since)s and not starts_with(q.serial, %(but)s) group by 1
"""
_TALLY = """
select coalesce(sum(stored + conflict), 0)::bigint,
       coalesce(sum(received - stored - duplicate - conflict - quarantined), 0)::bigint
from ingest_minute where starts_with(consumer, %(consumer)s)
"""

# A sample is received at most so long after it was measured: in the short runs that set clocks, and in any.
_LATEST_MS = 120_000
_LATEST_WITHOUT_CLOCK_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class Account:
    """How it comes out. All but the first three must be zero.

    `phantom`: stored and never sent. `corrupt`: stored with another time or another value. `miscounted`: by how much
    ingest's own tally differs from what is there.
    """

    sent: int = 0
    stored: int = 0
    quarantined: int = 0
    lost: int = 0
    duplicated: int = 0
    phantom: int = 0
    corrupt: int = 0
    miscounted: int = 0

    def __add__(self, other: "Account") -> "Account":
        return Account(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Account)))

    @property
    def faults(self) -> dict[str, int]:
        """What must be zero and is not."""
        names = ("lost", "duplicated", "phantom", "corrupt", "miscounted")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Row:
    """One value in the database: stored, or a conflict that was kept aside. `at_us` in microseconds since 1970."""

    serial: str
    metric: str
    value: float
    at_us: int
    corrected: bool
    conflict: bool


def compare(samples: list[Sample], rows: list[Row], *, server_offsets_ms: tuple[int, ...] = ()) -> Account:
    """What became of samples of two values each; counts are values, two to a sample.

    Without `server_offsets_ms` no good time may have been corrected. With them, a corrected time must be one at which
    the sample can have been received, on a server whose clock was off by one of them.
    """
    same = {s.serial for s in samples if s.kind is Kind.SAME}
    account = _compare_same([s for s in samples if s.serial in same], [r for r in rows if r.serial in same])
    apart = [s for s in samples if s.serial not in same], [r for r in rows if r.serial not in same]
    return account + _compare_apart(*apart, server_offsets_ms)


def _compare_same(samples: list[Sample], rows: list[Row]) -> Account:
    """Samples that nothing tells apart: as many values as were sent, all at moments of their own.

    One that is lost and one that is there twice would even out here; the other kinds without a clock would show it.
    """
    sent = Counter((s.serial, name) for s in samples for name in METRICS)
    values = {(s.serial, name): value for s in samples for name, value in s.values.items()}
    found = Counter((row.serial, row.metric) for row in rows)
    return Account(
        sent=sent.total(),
        stored=len(rows),
        lost=(sent - found).total(),
        duplicated=(found - sent).total(),
        corrupt=sum(row.value != values.get((row.serial, row.metric)) or not row.corrected for row in rows),
    )


def _compare_apart(samples: list[Sample], rows: list[Row], server_offsets_ms: tuple[int, ...]) -> Account:
    by_used = {(s.serial, s.used_h): s for s in samples}
    by_time: dict[tuple[str, int], list[Sample]] = {}
    found: Counter[tuple[str, int, str]] = Counter()
    phantom = corrupt = 0
    when: dict[tuple[str, int], list[Sample]] = {}
    used_rows = [row for row in rows if row.metric == "filter_used_h"]
    for row in used_rows:
        sample = by_used.get((row.serial, row.value))
        if sample is None:
            phantom += 1
            continue
        found[sample.serial, sample.seq, row.metric] += 1
        corrupt += not _time_is_right(sample, row, server_offsets_ms)
        when.setdefault((row.serial, row.at_us), []).append(sample)
    for sample in samples:
        by_time.setdefault((sample.serial, sample.ts_ms * 1000), []).append(sample)
    for row in rows:
        if row.metric == "filter_used_h":
            continue
        # The other value of a sample stands at the same moment as the one that names it.
        candidates = when.get((row.serial, row.at_us)) or by_time.get((row.serial, row.at_us), [])
        match = next((s for s in candidates if s.pm25 == row.value), None)
        if row.metric != "pm25_ugm3" or not candidates:
            phantom += 1
        elif match is None:
            corrupt += 1
        else:
            found[match.serial, match.seq, row.metric] += 1
    sent = 2 * len(samples)
    lost = sent - len(found)
    duplicated = sum(count - 1 for count in found.values())
    return Account(sent, len(rows), 0, lost, duplicated, phantom, corrupt, 0)


def compare_poison(digests: list[str], quarantined: dict[str, int]) -> Account:
    """What became of poisoned messages, each of which owes one entry in quarantine."""
    sent = set(digests)
    lost = len(sent - quarantined.keys())
    phantom = len(quarantined.keys() - sent)
    duplicated = sum(count - 1 for digest, count in quarantined.items() if digest in sent)
    return Account(len(digests), 0, sum(quarantined.values()), lost, duplicated, phantom)


def read_rows(conn: "psycopg.Connection[tuple[object, ...]]", prefix: str) -> list[Row]:
    """Everything of the devices whose serial begins with `prefix`."""
    return [Row(*row) for row in conn.execute(_STORED, {"prefix": prefix}).fetchall()]  # type: ignore[arg-type]  # a row of _STORED has their types


def read_quarantine(conn: "psycopg.Connection[tuple[object, ...]]", since: datetime, but: str) -> dict[str, int]:
    """How many entries each refused message has, but those of serials that begin with `but`."""
    return {str(row[0]): int(str(row[1])) for row in conn.execute(_QUARANTINED, {"since": since, "but": but})}


def read_tally(conn: "psycopg.Connection[tuple[object, ...]]", consumer: str) -> tuple[int, int]:
    """What ingest says it has stored or kept aside, and by how much its outcomes miss what it received."""
    row = conn.execute(_TALLY, {"consumer": consumer}).fetchone()
    assert row is not None
    return int(str(row[0])), int(str(row[1]))


def _time_is_right(sample: Sample, row: Row, server_offsets_ms: tuple[int, ...]) -> bool:
    if not row.corrected:
        return sample.kind.has_time and row.at_us == sample.ts_ms * 1000
    offsets = server_offsets_ms if sample.kind.has_time else {0, *server_offsets_ms}
    # One that knows its uptime is right at once with what it stored hours before, when nobody heard it.
    is_soon = sample.kind.has_time or (sample.kind is Kind.UPTIME and server_offsets_ms)
    latest_ms = _LATEST_MS if is_soon else _LATEST_WITHOUT_CLOCK_MS
    received_after_ms = [row.at_us / 1000 - sample.sent_ms - offset for offset in offsets]
    return any(0 <= after <= latest_ms for after in received_after_ms)
