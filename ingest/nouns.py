"""The words of ingest: what a message becomes, and what is needed to read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devices.nouns import Device, Metric, Reading
from devices.wire import ResendResult, Status
from ingest.delivery import Delivery
from ingest.value import Rejection
from millpond.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device's clock, a payload and a boot's gaps may be; settings in the units of the decoder."""

    payload_max_bytes: int
    clock_past: timedelta
    clock_future: timedelta
    boot_ranges_max: int = 1_000

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """As the operator set it."""
        return cls(
            settings.payload_max_bytes,
            timedelta(days=settings.clock_past_days),
            timedelta(minutes=settings.clock_future_minutes),
            settings.boot_ranges_max,
        )


@dataclass(frozen=True, slots=True)
class Registry:
    """What the decoder must know of the devices in a batch: those that exist, and their models' metrics."""

    devices: Mapping[str, Device]
    metrics: Mapping[str, Mapping[str, Metric]]


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
    """

    reading: Reading
    sample: SeqKey | None
    said_at: datetime | None = None
    index: int = 0


@dataclass(slots=True)
class Decoded:
    """What one delivery became. `items` is the number of outcomes it owes: readings, rejections, and what is no news:
    values of a retained message that say neither when they were measured nor their number.

    `numbers_lost` says that there are samples in its bytes, or may be, whose numbers cannot be read; they are of
    `boot`, or of any where that cannot be read either.
    """

    delivery: Delivery
    serial: str = ""
    readings: list[DecodedReading] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    no_news: int = 0
    seqs: list[SeqKey] = field(default_factory=list)
    boot: str | None = None
    numbers_lost: bool = False
    status: Status | None = None
    gone: ResendResult | None = None

    @property
    def items(self) -> int:
        return len(self.readings) + sum(rejection.items for rejection in self.rejections) + self.no_news
