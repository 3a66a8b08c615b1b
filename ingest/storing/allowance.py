"""What one device may use of the platform: boots, room in quarantine, values. Beyond that its messages are dropped.

Dropped means counted and told to the operator, and not told to the device as safe: it keeps the samples and sends them
again, so an honest one that was over its allowance loses nothing.
"""

from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ingest.nouns import Decoded, Keeping
from ingest.storing.quarantine import ROW_BYTES
from millpond.kernel.settings import Settings

_DEVICES_REMEMBERED = 100_000
_BOOTS_REMEMBERED = 200_000
# What is of nobody, or of a name that could not wait in the lobby, has one allowance together.
UNREGISTERED = ""


class Allowance(StrEnum):
    """What is allowed in measure."""

    BOOTS = "boots"
    QUARANTINE = "quarantine"
    VALUES = "values"
    LOBBY = "lobby"


@dataclass(frozen=True, slots=True)
class Rate:
    """So much within so long; it is all there at first, and grows back evenly. An amount of 0 is no limit."""

    amount: float
    period: timedelta


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """A message that is dropped, and the allowance that its device has used up."""

    serial: str
    allowance: Allowance
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Admission:
    """Which messages of a batch go on, and what they use once they are committed."""

    admitted: list[Decoded] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)
    used: Counter[tuple[str, Allowance]] = field(default_factory=Counter)
    boots: set[tuple[str, str]] = field(default_factory=set)


class Allowances:
    """How much of its allowances each device has left, as far as this process remembers.

    The last message before the limit may go beyond it, so that none is too large ever to pass.
    """

    def __init__(self, rates: Mapping[Allowance, Rate]) -> None:
        self._rates = {allowance: rate for allowance, rate in rates.items() if rate.amount}
        self._buckets: OrderedDict[tuple[str, Allowance], _Bucket] = OrderedDict()
        self._boots: OrderedDict[tuple[str, str], None] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings) -> "Allowances":
        """As the operator set them."""
        return cls(
            {
                Allowance.BOOTS: Rate(settings.device_boots_per_h, timedelta(hours=1)),
                Allowance.QUARANTINE: Rate(settings.device_quarantine_bytes_per_day, timedelta(days=1)),
                Allowance.VALUES: Rate(settings.device_values_per_h, timedelta(hours=1)),
            }
        )

    def admit(self, batch: Sequence[Decoded], keeping: Keeping, at: datetime, free: Collection[str] = ()) -> Admission:
        """Which messages go on. Nothing is used up yet: what is not committed comes here again.

        Those who are called one of `free` are bounded elsewhere.
        """
        admission = Admission()
        for decoded in batch:
            if decoded.device is None and decoded.serial in free:
                admission.admitted.append(decoded)
                continue
            serial = UNREGISTERED if decoded.device is None else decoded.serial
            boots = {key for key in boots_of(decoded) if key not in self._boots and key not in admission.boots}
            needs = {
                Allowance.BOOTS: len(boots),
                Allowance.QUARANTINE: quarantine_bytes(decoded, keeping),
                Allowance.VALUES: max(1, decoded.items),
            }
            over = [a for a, need in needs.items() if need and self._left(serial, a, at) <= admission.used[serial, a]]
            if over:
                admission.dropped.append(Drop(serial, over[0], decoded))
                continue
            admission.admitted.append(decoded)
            admission.boots.update(boots)
            admission.used.update({(serial, allowance): need for allowance, need in needs.items() if need})
        return admission

    def use(self, admission: Admission, at: datetime) -> None:
        """The admitted messages are committed: what they used is used up."""
        for (serial, allowance), need in admission.used.items():
            if allowance in self._rates:
                self._bucket(serial, allowance, at).left -= need
        for key in admission.boots:
            self._boots[key] = None
        _forget_oldest(self._boots, _BOOTS_REMEMBERED)
        _forget_oldest(self._buckets, _DEVICES_REMEMBERED * len(Allowance))

    def _left(self, serial: str, allowance: Allowance, at: datetime) -> float:
        return self._bucket(serial, allowance, at).left if allowance in self._rates else float("inf")

    def _bucket(self, serial: str, allowance: Allowance, at: datetime) -> _Bucket:
        rate, key = self._rates[allowance], (serial, allowance)
        bucket = self._buckets.setdefault(key, _Bucket(rate.amount, at))
        self._buckets.move_to_end(key)
        # A clock that was set back gives nothing, and takes nothing either.
        grown = max(timedelta(), at - bucket.at) / rate.period * rate.amount
        bucket.left, bucket.at = min(rate.amount, bucket.left + grown), at
        return bucket


def boots_of(decoded: Decoded) -> set[tuple[str, str]]:
    """The boots that a message has something to say of."""
    boots = {(decoded.serial, key.boot) for key in decoded.seqs}
    return boots | {(decoded.serial, decoded.gone.boot)} if decoded.gone else boots


def quarantine_bytes(decoded: Decoded, keeping: Keeping) -> int:
    """About what a result costs in quarantine."""
    if not decoded.rejections:
        return 0
    return len(keeping.kept(decoded.delivery.payload)) + ROW_BYTES * len(decoded.rejections)


def _forget_oldest(
    remembered: OrderedDict[tuple[str, str], None] | OrderedDict[tuple[str, Allowance], _Bucket], most: int
) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)
