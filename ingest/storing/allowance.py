"""What one device may use of the platform: messages, boots, room in quarantine, values. What is beyond is dropped.

Dropped means counted and told to the operator, and not told to the device as safe: it keeps the samples and sends them
again, so an honest one that was over its allowance loses nothing.
"""

import math
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import add, ge, sub
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ingest.nouns import Decoded, Keeping
from ingest.plain import NO_PLAIN_MESSAGES, BootKey, PlainMessages
from ingest.storing.quarantine import ROW_BYTES
from millpond.kernel.arrays import Bools
from millpond.kernel.settings import Settings

_DEVICES_REMEMBERED = 100_000
_BOOTS_REMEMBERED = 200_000
# What is of nobody, or of a name that could not wait in the lobby, has one allowance together.
UNREGISTERED = ""


class Allowance(StrEnum):
    """What is allowed in measure."""

    MESSAGES = "messages"
    BOOTS = "boots"
    QUARANTINE = "quarantine"
    VALUES = "values"
    TIMES = "times"
    CONFLICTS = "conflicts"
    LOBBY = "lobby"


@dataclass(frozen=True, slots=True)
class Rate:
    """So much within so long; it is all there at first, and grows back evenly. An amount of 0 is no limit."""

    amount: float
    period: timedelta


_NO_LIMIT = Rate(math.inf, timedelta(seconds=1))


class Needs(NamedTuple):
    """How much messages need of each allowance."""

    messages: int = 0
    boots: int = 0
    quarantine: int = 0
    values: int = 0
    times: int = 0
    conflicts: int = 0


_KINDS = tuple(Allowance(field) for field in Needs._fields)
_CONFLICTS = _KINDS.index(Allowance.CONFLICTS)
_NOTHING = Needs()


@dataclass(slots=True)
class _Account:
    """What a device has left of each kind as of a moment; of one without a limit, endlessly much."""

    left: list[float]
    at: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """A message that is dropped, how many items and bytes it has, and the allowance that its device has used up."""

    serial: str
    allowance: Allowance
    items: int
    bytes: int


@dataclass(slots=True)
class Admission:
    """Which messages of a batch go on, and what they use once they are committed."""

    plain: PlainMessages = NO_PLAIN_MESSAGES
    careful: list[Decoded] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)
    used: dict[str, Needs] = field(default_factory=dict)
    boots: set[BootKey] = field(default_factory=set)

    def add(self, serial: str, needs: Needs, boots: Iterable[BootKey]) -> None:
        """Messages go on that need so much, and are the first of these boots."""
        used = self.used.get(serial)
        self.used[serial] = needs if used is None else Needs(*map(add, used, needs))
        self.boots.update(boots)


class Allowances:
    """How much of its allowances each device has left, as far as this process remembers.

    The last message before the limit may go beyond it, so that none is too large ever to pass.
    """

    def __init__(self, rates: Mapping[Allowance, Rate]) -> None:
        limits = [rate if (rate := rates.get(kind)) and rate.amount else _NO_LIMIT for kind in _KINDS]
        self._amounts = [rate.amount for rate in limits]
        self._per_s = [rate.amount / rate.period.total_seconds() for rate in limits]
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._boots: OrderedDict[BootKey, None] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings) -> "Allowances":
        """As the operator set them."""
        burst, per_s = settings.device_messages_burst, settings.device_messages_per_s
        return cls(
            {
                Allowance.MESSAGES: Rate(burst if per_s else 0, timedelta(seconds=burst / (per_s or 1))),
                Allowance.BOOTS: Rate(settings.device_boots_per_h, timedelta(hours=1)),
                Allowance.QUARANTINE: Rate(settings.device_quarantine_bytes_per_day, timedelta(days=1)),
                Allowance.VALUES: Rate(settings.device_values_per_h, timedelta(hours=1)),
                Allowance.TIMES: Rate(settings.device_made_up_times_per_day, timedelta(days=1)),
                Allowance.CONFLICTS: Rate(settings.device_conflicts_per_day, timedelta(days=1)),
            }
        )

    def admit(
        self,
        careful: Sequence[Decoded],
        keeping: Keeping,
        at: datetime,
        free: Collection[str] = (),
        plain: PlainMessages = NO_PLAIN_MESSAGES,
    ) -> Admission:
        """Which messages go on. Nothing is used up yet: what is not committed comes here again.

        Those who are called one of `free` are bounded elsewhere.
        """
        admission = Admission()
        self._admit_plain(plain, admission, at)
        for decoded in careful:
            if decoded.device is None and decoded.serial in free:
                admission.careful.append(decoded)
                continue
            serial = UNREGISTERED if decoded.device is None else decoded.serial
            boots = self._new_boots(boots_of(decoded), admission)
            needs = Needs(
                messages=0 if decoded.device is None else 1,
                boots=len(boots),
                quarantine=quarantine_bytes(decoded, keeping),
                values=max(1, decoded.items),
                times=_made_up_times(decoded),
            )
            over = self._over(serial, needs, admission, at)
            if over is None:
                admission.careful.append(decoded)
                admission.add(serial, needs, boots)
            else:
                admission.dropped.append(Drop(serial, over, decoded.items, len(decoded.delivery.payload)))
        return admission

    def _admit_plain(self, plain: PlainMessages, admission: Admission, at: datetime) -> None:
        """A device that has enough left for all messages of a boot is not asked for each of them."""
        messages = np.bincount(plain.boot_of, minlength=len(plain.boots)).tolist()
        values = np.bincount(plain.boot_of, plain.items, minlength=len(plain.boots)).tolist()
        short = np.zeros(len(plain.boots), np.bool_)
        for number, boot in enumerate(plain.boots):
            if not messages[number]:
                continue
            serial, boots = boot[0], () if boot in self._boots else (boot,)
            needs = Needs(messages[number], len(boots), values=int(values[number]))
            left, used = self._account(serial, at).left, admission.used.get(serial, _NOTHING)
            if _may_conflict(left) and all(map(ge, left, map(add, used, needs))):
                admission.add(serial, needs, boots)
            else:
                short[number] = True
        admission.plain = self._admit_short(plain, short, admission, at) if short.any() else plain

    def _admit_short(self, plain: PlainMessages, short: Bools, admission: Admission, at: datetime) -> PlainMessages:
        """The messages without those that are beyond, looked at one by one where a boot is `short` of something."""
        kept, items = np.ones(len(plain), np.bool_), plain.items
        for message in np.flatnonzero(short[plain.boot_of]).tolist():
            boot = plain.boots[plain.boot_of[message]]
            boots = self._new_boots([boot], admission)
            needs = Needs(1, len(boots), values=int(items[message]))
            over = self._over(boot[0], needs, admission, at)
            if over is None:
                admission.add(boot[0], needs, boots)
            else:
                kept[message] = False
                size = len(plain.deliveries[message].payload)
                admission.dropped.append(Drop(boot[0], over, needs.values, size))
        return plain.keep(kept)

    def use(
        self,
        admission: Admission,
        at: datetime,
        conflicts: Mapping[str, int] = MappingProxyType({}),
        times: Mapping[str, int] = MappingProxyType({}),
        kept: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """The admitted messages are committed: what they used is used up.

        So many of their values are `conflicts`, so many samples were given new `times`, and so many bytes of quarantine
        are newly `kept`, by serial. Nobody could know that before: what comes again has its time and its place, and
        who sends it without end uses nothing up.
        """
        for serial, values in conflicts.items():
            admission.add(serial, Needs(conflicts=values), ())
        for serial, needs in admission.used.items():
            account = self._account(serial, at)
            known = needs._replace(times=times.get(serial, 0), quarantine=kept.get(serial, 0))
            account.left = [*map(sub, account.left, known)]
        self._boots.update(dict.fromkeys(admission.boots))
        _forget_oldest(self._boots, _BOOTS_REMEMBERED)
        _forget_oldest(self._accounts, _DEVICES_REMEMBERED)

    def _new_boots(self, boots: Iterable[BootKey], admission: Admission) -> set[BootKey]:
        return {key for key in boots if key not in self._boots and key not in admission.boots}

    def _over(self, serial: str, needs: Needs, admission: Admission, at: datetime) -> Allowance | None:
        """The first allowance of which nothing is left, of those that are needed."""
        left, used = self._account(serial, at).left, admission.used.get(serial, _NOTHING)
        if not _may_conflict(left):
            return Allowance.CONFLICTS
        rows = zip(_KINDS, needs, left, used, strict=True)
        return next((kind for kind, need, rest, gone in rows if need and rest <= gone), None)

    def _account(self, serial: str, at: datetime) -> _Account:
        account = self._accounts.get(serial)
        if account is None:
            account = self._accounts[serial] = _Account(self._amounts, at)
            return account
        self._accounts.move_to_end(serial)
        if at != account.at:
            # A clock that was set back gives nothing, and takes nothing either.
            grown_s = max(0.0, (at - account.at).total_seconds())
            grown = (left + grown_s * per_s for left, per_s in zip(account.left, self._per_s, strict=True))
            account.left = [*map(min, self._amounts, grown)]
            account.at = at
        return account


def _may_conflict(left: Sequence[float]) -> bool:
    return left[_CONFLICTS] > 0


def _made_up_times(decoded: Decoded) -> int:
    """How many samples of a message get a time of ours, unless they have one from when they came before."""
    return len({one.sample for one in decoded.readings if one.sample and one.reading.corrected})


def boots_of(decoded: Decoded) -> set[BootKey]:
    """The boots that a message has something to say of."""
    boots = {(decoded.serial, key.boot) for key in decoded.seqs}
    return boots | {(decoded.serial, decoded.gone.boot)} if decoded.gone else boots


def quarantine_bytes(decoded: Decoded, keeping: Keeping) -> int:
    """About what a result costs in quarantine."""
    if not decoded.rejections:
        return 0
    return len(keeping.kept(decoded.delivery.payload)) + ROW_BYTES * len(decoded.rejections)


def _forget_oldest(remembered: OrderedDict[Any, Any], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)
