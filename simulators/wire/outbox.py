"""What a device has measured and the platform has not yet committed. Nothing leaves it but by a commit-ack."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from millpond.kernel.errors import Conflict

_SCHEMA = """
create table if not exists boot (position integer primary key autoincrement, boot text not null unique);
create table if not exists sample (
    boot text not null, seq integer not null, ts_ms integer not null, readings integer not null, body blob not null,
    primary key (boot, seq)) without rowid;
"""


@dataclass(frozen=True, slots=True)
class StoredSample:
    """One sample as it will go over the wire: `body` is the JSON object with seq, ts and metrics."""

    boot: str
    seq: int
    ts_ms: int
    readings: int
    body: bytes


@dataclass(slots=True)
class _Shelf:
    """A boot's samples: numbers `first` to `following` - 1 are held, those from `unsent` on were not yet sent."""

    first: int = 1
    following: int = 1
    unsent: int = 1
    held: dict[int, StoredSample] = field(default_factory=dict)


class Outbox:
    """In memory, and with `path` also in a file that survives a restart (SQLite; one process at a time).

    Numbers start at 1 in each boot and rise by one. With `limit`, the oldest samples above it are given up, as on a
    device whose flash is full; `dropped` counts them.
    """

    def __init__(self, path: Path | None = None, *, limit: int | None = None) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._used: set[str] = set()
        self._limit = limit
        self._count = 0
        self.dropped = self.dropped_readings = 0
        self._file = _open(path) if path else None
        if self._file:
            self._load(self._file)

    def __len__(self) -> int:
        return self._count

    @property
    def unsent(self) -> int:
        """How many samples wait to be sent."""
        return sum(shelf.following - shelf.unsent for shelf in self._shelves.values())

    @property
    def readings(self) -> int:
        """How many metric values are held."""
        return sum(sample.readings for shelf in self._shelves.values() for sample in shelf.held.values())

    def open_boot(self, boot: str) -> None:
        """Begin a boot, whose numbers start at 1. A boot that was used before is a Conflict: its numbers are taken."""
        if boot in self._used:
            raise Conflict(f"boot {boot!r} was used before: a restarted device needs a new one")
        for old in [name for name, shelf in self._shelves.items() if not shelf.held]:
            del self._shelves[old]
        self._used.add(boot)
        self._shelves[boot] = _Shelf()
        if self._file:
            with self._file:
                self._file.execute("insert into boot (boot) values (?)", [boot])

    def append(
        self,
        boot: str,
        measured: list[tuple[int, dict[str, object]]],
        shown_ms: Sequence[int | None] | None = None,
        uptimes_s: Sequence[float | None] | None = None,
    ) -> list[StoredSample]:
        """Store samples, given as (epoch milliseconds, metrics), under the next numbers of an open boot.

        `shown_ms` is what a wrong clock says instead; it goes over the wire. A None in it is a sample without a time.
        `uptimes_s` is for how many seconds the device was on, where it says that.
        """
        shelf = self._shelves[boot]
        shown = [at for at, _ in measured] if shown_ms is None else shown_ms
        uptimes = [None] * len(measured) if uptimes_s is None else uptimes_s
        samples = [
            _encode(boot, seq, at, metrics, {"ts": ts, "uptime_s": uptime_s})
            for seq, ((at, metrics), ts, uptime_s) in enumerate(
                zip(measured, shown, uptimes, strict=True), shelf.following
            )
        ]
        shelf.held.update((sample.seq, sample) for sample in samples)
        shelf.following += len(samples)
        self._count += len(samples)
        if self._file:
            rows = [(s.boot, s.seq, s.ts_ms, s.readings, s.body) for s in samples]
            with self._file:
                self._file.executemany("insert into sample values (?, ?, ?, ?, ?)", rows)
        self._respect_limit()
        return samples

    def take(self, most: int) -> list[StoredSample]:
        """Up to `most` unsent samples of one boot, oldest boot first, now counted as sent but still held."""
        for shelf in self._shelves.values():
            if shelf.unsent < shelf.following:
                end = min(shelf.unsent + most, shelf.following)
                taken = [shelf.held[seq] for seq in range(shelf.unsent, end)]
                shelf.unsent = end
                return taken
        return []

    def put_back(self, sample: StoredSample) -> None:
        """Make `sample` and what followed it unsent again, for a message that did not fit or did not leave."""
        shelf = self._shelves[sample.boot]
        shelf.unsent = max(shelf.first, min(shelf.unsent, sample.seq))

    def rewind(self) -> None:
        """Everything that is not acknowledged counts as unsent again."""
        for shelf in self._shelves.values():
            shelf.unsent = shelf.first

    def forget(self, boot: str, seq: int) -> int:
        """Forget the numbers of `boot` up to and including `seq`; how many those were. An unknown boot has none."""
        shelf = self._shelves.get(boot)
        return self._remove(boot, shelf, min(seq + 1, shelf.following)) if shelf else 0

    def held(self, boot: str, from_seq: int, to_seq: int) -> tuple[int, int] | None:
        """The part of a range of numbers that is still here, as its first and last number; None when all is gone."""
        shelf = self._shelves.get(boot)
        if shelf is None:
            return None
        first, last = max(from_seq, shelf.first), min(to_seq, shelf.following - 1)
        return (first, last) if first <= last else None

    def samples(self, boot: str, from_seq: int, to_seq: int) -> Iterator[StoredSample]:
        """The samples of a range of numbers that are still here."""
        here = self.held(boot, from_seq, to_seq)
        if here:
            yield from (self._shelves[boot].held[seq] for seq in range(here[0], here[1] + 1))

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file:
            self._file.close()

    def _remove(self, boot: str, shelf: _Shelf, until: int) -> int:
        gone = max(0, until - shelf.first)
        for seq in range(shelf.first, until):
            del shelf.held[seq]
        shelf.first += gone
        shelf.unsent = max(shelf.unsent, shelf.first)
        self._count -= gone
        if gone and self._file:
            with self._file:
                self._file.execute("delete from sample where boot = ? and seq < ?", [boot, shelf.first])
        return gone

    def _respect_limit(self) -> None:
        for boot, shelf in self._shelves.items():
            if self._limit is None or self._count <= self._limit:
                return
            excess = min(self._count - self._limit, shelf.following - shelf.first)
            self.dropped_readings += sum(shelf.held[seq].readings for seq in range(shelf.first, shelf.first + excess))
            self.dropped += self._remove(boot, shelf, shelf.first + excess)

    def _load(self, file: sqlite3.Connection) -> None:
        for (boot,) in file.execute("select boot from boot order by position"):
            self._shelves[boot] = _Shelf()
            self._used.add(boot)
        for row in file.execute("select boot, seq, ts_ms, readings, body from sample order by boot, seq"):
            sample = StoredSample(*row)
            shelf = self._shelves[sample.boot]
            if not shelf.held:
                shelf.first = shelf.unsent = sample.seq
            shelf.held[sample.seq] = sample
            shelf.following = sample.seq + 1
            self._count += 1


def _open(path: Path) -> sqlite3.Connection:
    # The fleet may be built in one thread and run in another; never in both at once.
    file = sqlite3.connect(path, check_same_thread=False)
    file.executescript(_SCHEMA)
    return file


def _encode(
    boot: str, seq: int, at_ms: int, metrics: dict[str, object], clocks: dict[str, float | None]
) -> StoredSample:
    said = {name: value for name, value in clocks.items() if value is not None}
    return StoredSample(boot, seq, at_ms, len(metrics), orjson.dumps({"seq": seq, **said, "metrics": metrics}))
