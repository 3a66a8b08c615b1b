"""The words of ingest: what comes, what it becomes, what is needed to read it, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

from devices.nouns import Device, Meaning, Metric, Reading
from devices.wire import ResendResult, Status
from millpond.kernel.settings import Settings


class Ask(NamedTuple):
    """What a message makes us publish once it is stored: a question to whoever sent it, at most so often."""

    topic: str
    payload: bytes


class Lane(IntEnum):
    """Live messages are stored first; backfill waits for them and never the other way round."""

    LIVE = 0
    BACKFILL = 1


class Delivery(Struct, frozen=True, gc=False):
    """One PUBLISH as it came: `mid` and `epoch` say which connection's acknowledgement it is owed.

    `arrived_s` is when, on the monotonic clock: how long it has waited since is ingest's lag. `retained` says that the
    broker had kept it for whoever subscribes: it may be of any age. `redelivered` says that it handed it to us before.
    `described` is what earlier messages of its format described of it, where the format keeps such things.
    """

    topic: str
    payload: bytes
    received_at: datetime
    lane: Lane
    mid: int
    qos: int
    epoch: int
    arrived_s: float = 0.0
    retained: bool = False
    redelivered: bool = False
    described: Mapping[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device's clock, a payload, a boot's gaps and descriptions may be; settings in the units of the decoder."""

    payload_max_bytes: int
    clock_past: timedelta
    clock_future: timedelta
    boot_ranges_max: int = 1_000
    description_max_bytes: int = 65_536
    descriptions_per_owner_max: int = 1_000
    descriptions_max: int = 200_000

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """As the operator set it."""
        return cls(
            settings.payload_max_bytes,
            timedelta(days=settings.clock_past_days),
            timedelta(minutes=settings.clock_future_minutes),
            settings.boot_ranges_max,
            settings.description_max_bytes,
            settings.descriptions_per_owner_max,
            settings.descriptions_max,
        )


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much of refused messages is kept.

    A message of up to `whole_bytes` is kept whole, of a larger one the first `head_bytes`; of its refused items
    `items` have a row each, and one more row counts the rest.
    """

    items: int = 100
    whole_bytes: int = 262_144
    head_bytes: int = 4_096

    @classmethod
    def from_settings(cls, settings: Settings) -> "Keeping":
        """As the operator set it."""
        return cls(settings.quarantine_max_items, settings.payload_max_bytes, settings.quarantine_head_bytes)

    def kept(self, payload: bytes) -> bytes:
        """What of `payload` goes into the database."""
        return payload if len(payload) <= self.whole_bytes else payload[: self.head_bytes]


@dataclass(frozen=True, slots=True)
class Registry:
    """What a format must know of the devices in a batch: those that exist, by what it calls them, and their models'
    metrics.

    `namespace` comes before what it calls any other, so that this is never taken for a serial. `speaks` says what the
    properties of each model mean in the format's language.
    """

    devices: Mapping[str, Device]
    metrics: Mapping[str, Mapping[str, Metric]]
    namespace: str = ""
    speaks: Mapping[str, Mapping[str, Meaning]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeqKey:
    """A sample's own key, where the device gives one."""

    serial: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class DecodedReading:
    """A reading, and the sample it came in: a corrected time is shared by all deliveries of that sample.

    `said_at` is what the device's clock said, None when it said nothing; `index` is the sample's place in its message.
    `uptime` is for how long the device was on when it measured, None when it did not say that.
    """

    reading: Reading
    sample: SeqKey | None
    said_at: datetime | None = None
    index: int = 0
    uptime: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why something was not a reading: a code for counting, a sentence for a person, and which item of the message.

    `items` is more than one where it stands for many.
    """

    code: str
    reason: str
    item: str = ""
    items: int = 1


@dataclass(slots=True)
class Decoded:
    """What one delivery became for one device; a hub's message has a result for each device that it speaks of.

    `serial` is the device's; of one that is not registered what the message calls it. `items` is the number of outcomes
    owed: readings, rejections, and what is no news: values of a retained message that say neither when they were
    measured nor their number.

    `numbers_lost` says that there are samples in its bytes, or may be, whose numbers cannot be read; they are of
    `boot`, or of any where that cannot be read either. `other_names` and `said_model` are what its message calls the
    device besides, and what it says that it is; `asks` is what it makes us ask. `boot_began_at` is when its boot began,
    if the message was not long on its way: when it came, less the uptime at which it was sent.
    """

    delivery: Delivery
    serial: str = ""
    device: Device | None = None
    readings: list[DecodedReading] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    no_news: int = 0
    seqs: list[SeqKey] = field(default_factory=list)
    boot: str | None = None
    numbers_lost: bool = False
    status: Status | None = None
    gone: ResendResult | None = None
    other_names: tuple[str, ...] = ()
    said_model: str = ""
    asks: tuple[Ask, ...] = ()
    boot_began_at: datetime | None = None

    @classmethod
    def of(cls, delivery: Delivery, identity: str, registry: Registry) -> "Decoded":
        """A result that is still empty, of whom its message calls `identity`."""
        device = registry.devices.get(identity)
        return cls(delivery, f"{registry.namespace}{identity}" if device is None else device.serial, device)

    @property
    def items(self) -> int:
        """How many outcomes are owed."""
        return len(self.readings) + sum(rejection.items for rejection in self.rejections) + self.no_news


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes, counted in items: one a metric value, one a message or sample refused as a whole.

    `no_news` says how many of the duplicates were values of retained messages that cannot be told from older ones.
    """

    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    quarantined: int = 0
    no_news: int = 0

    @property
    def received(self) -> int:
        """Every item has exactly one outcome."""
        return self.stored + self.duplicate + self.conflict + self.quarantined

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.conflict + other.conflict,
            self.quarantined + other.quarantined,
            self.no_news + other.no_news,
        )


@dataclass(frozen=True, slots=True)
class Complete:
    """Every sequence number of a boot up to and including `seq` is safe."""

    serial: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequence numbers of a boot, both ends included, that never came."""

    serial: str
    boot: str
    from_seq: int
    to_seq: int
