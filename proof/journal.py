"""What devices remember: every sample they ever measured, and every poisoned message they ever sent, on disk.

A line is written before its message leaves. Nothing is ever taken out: this is the oracle the database is held against.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Self

BOOT = "b"
METRICS = ("filter_used_h", "pm25_ugm3")


class Kind(StrEnum):
    """What sort of device it is; all but the ordinary ones have times that nobody can believe."""

    ORDINARY = "ordinary"
    CLOCKLESS = "clockless"
    SECONDS = "seconds"  # where milliseconds are asked for
    BULK = "bulk"  # clockless, 500 samples a message
    SAME = "same"  # clockless, the same values in every sample
    UPTIME = "uptime"  # no clock or one in seconds, and knows for how long it is on

    @property
    def has_time(self) -> bool:
        """Whether its samples carry a time that can be believed."""
        return self is Kind.ORDINARY


_OF_FIFTY = {4: Kind.UPTIME, 9: Kind.CLOCKLESS, 19: Kind.CLOCKLESS, 29: Kind.SECONDS, 39: Kind.SAME, 49: Kind.BULK}


def kind_of(number: int) -> Kind:
    """The kind of a fleet's device with this number: six of fifty have no good clock."""
    return _OF_FIFTY.get(number % 50, Kind.ORDINARY)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of one device: `used_h` tells it from every other of that device, `pm25` is what it carries.

    A device of the kind SAME sends the same `used_h` and `pm25` always. `ts_ms` is what the device's clock said, if it
    has one, `sent_ms` what was so.
    """

    serial: str
    kind: Kind
    seq: int
    ts_ms: int
    sent_ms: int
    used_h: float
    pm25: float

    @property
    def values(self) -> dict[str, float]:
        """What it says, by metric."""
        return dict(zip(METRICS, (self.used_h, self.pm25), strict=True))


def measure(serial_number: int, seq: int, ts_ms: int, sent_ms: int, seed: int, serial: str) -> Sample:
    """The sample a device takes as its `seq`-th: seeded, and different from all others of that device, if any is."""
    kind = kind_of(serial_number)
    told = 1 if kind is Kind.SAME else seq
    pm25 = ((told * 7919 + serial_number * 104_729 + seed * 31) % 20_000) / 10
    return Sample(serial, kind, seq, ts_ms, sent_ms, told / 100, pm25)


class Journal:
    """Appends to the file of one fleet."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def remember(self, sample: Sample) -> None:
        """Write a sample down."""
        s = sample
        self._file.write(f"S {s.serial} {s.kind} {s.seq} {s.ts_ms} {s.sent_ms} {s.used_h!r} {s.pm25!r}\n")

    def remember_poison(self, topic: str, payload: bytes) -> None:
        """Write down the digest of a message that must end in quarantine."""
        digest = sha256(topic.encode() + b"\0" + payload)
        self._file.write(f"P {digest.hexdigest()}\n")

    def flush(self) -> None:
        """Hand everything to the operating system, before any of it is sent."""
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_journal(path: Path) -> tuple[list[Sample], list[str]]:
    """All samples, and the digests of all poisoned messages."""
    samples, poison = [], []
    for kind, words in _lines(path):
        if kind == "S":
            serial, how, seq, ts_ms, sent_ms, used_h, pm25 = words
            samples.append(Sample(serial, Kind(how), int(seq), int(ts_ms), int(sent_ms), float(used_h), float(pm25)))
        else:
            poison.append(words[0])
    return samples, poison


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            kind, *words = line.split()
            yield kind, words
