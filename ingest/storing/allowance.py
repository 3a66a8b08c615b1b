"""What one device may use of the platform: messages, boots, room in quarantine, values. What is beyond is dropped.

Dropped means counted and told to the operator, and not told to the device as safe: it keeps the samples and sends them
again, so an honest one that was over its allowance loses nothing.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import compress
from operator import add
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ingest.nouns import Decoded, Keeping
from ingest.plain import NO_PLAIN_MESSAGES, BootKey, PlainMessages
from ingest.storing.accounts import Accounts, Rate
from ingest.storing.quarantine import ROW_BYTES
from millpond.kernel.arrays import Floats, Ints
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


class Needs(NamedTuple):
    """How much messages need of each allowance."""

    messages: int = 0
    boots: int = 0
    quarantine: int = 0
    values: int = 0
    times: int = 0
    conflicts: int = 0


_KINDS = tuple(Allowance(field) for field in Needs._fields)
_MESSAGES, _BOOTS, _QUARANTINE, _VALUES, _TIMES, _CONFLICTS = range(len(_KINDS))
_NOTHING = Needs()


@dataclass(frozen=True, slots=True)
class Drop:
    """A message that is dropped, how many items and bytes it has, and the allowance that its device has used up."""

    serial: str
    allowance: Allowance
    items: int
    bytes: int


@dataclass(slots=True)
class Admission:
    """Which messages of a batch go on, and what they use once they are committed.

    What plain messages of devices that have enough left need is in `needs`, a row for each of `rows` in the accounts.
    """

    plain: PlainMessages = NO_PLAIN_MESSAGES
    rows: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    needs: Floats = field(default_factory=lambda: np.zeros((0, len(_KINDS))))
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
        self._accounts = Accounts([rates.get(kind) for kind in _KINDS])
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
        serials = [UNREGISTERED if decoded.device is None else decoded.serial for decoded in careful]
        left = self._left(serials, admission, at) if careful else {}
        for serial, decoded in zip(serials, careful, strict=True):
            if decoded.device is None and decoded.serial in free:
                admission.careful.append(decoded)
                continue
            boots = self._new_boots(boots_of(decoded), admission)
            needs = Needs(
                messages=0 if decoded.device is None else 1,
                boots=len(boots),
                quarantine=quarantine_bytes(decoded, keeping),
                values=max(1, decoded.items),
                times=_made_up_times(decoded),
            )
            over = _find_over(left[serial], needs, admission.used.get(serial, _NOTHING))
            if over is None:
                admission.careful.append(decoded)
                admission.add(serial, needs, boots)
            else:
                admission.dropped.append(Drop(serial, over, decoded.items, len(decoded.delivery.payload)))
        return admission

    def _admit_plain(self, plain: PlainMessages, admission: Admission, at: datetime) -> None:
        """A device that has enough left for all its plain messages is not asked for each of them."""
        messages = np.bincount(plain.boot_of, minlength=len(plain.boots))
        there = np.flatnonzero(messages)
        boots = [plain.boots[number] for number in there.tolist()]
        are_new = np.array([boot not in self._boots for boot in boots], np.bool_)
        needs = np.zeros((len(there), len(_KINDS)))
        needs[:, _MESSAGES], needs[:, _BOOTS] = messages[there], are_new
        needs[:, _VALUES] = np.bincount(plain.boot_of, plain.items, minlength=len(plain.boots))[there]
        rows, device_of = np.unique(self._accounts.find([serial for serial, _ in boots], at), return_inverse=True)
        of_device = np.zeros((len(rows), len(_KINDS)))
        np.add.at(of_device, device_of, needs)
        left = self._accounts.left[rows]
        enough = (left[:, _CONFLICTS] > 0) & (left >= of_device).all(axis=1)
        admission.rows, admission.needs = rows[enough], of_device[enough]
        goes = enough[device_of]
        admission.boots.update(compress(boots, (goes & are_new).tolist()))
        admission.plain = plain if goes.all() else self._admit_short(plain, there[~goes], admission, at)

    def _admit_short(self, plain: PlainMessages, boots: Ints, admission: Admission, at: datetime) -> PlainMessages:
        """The messages without those that are beyond, looked at one by one where a device is short of something.

        `boots` are those of the devices that are.
        """
        short = np.zeros(len(plain.boots), np.bool_)
        short[boots] = True
        left = self._left([plain.boots[boot][0] for boot in boots.tolist()], admission, at)
        kept, items = np.ones(len(plain), np.bool_), plain.items
        for message in np.flatnonzero(short[plain.boot_of]).tolist():
            boot = plain.boots[plain.boot_of[message]]
            new_boots = self._new_boots([boot], admission)
            needs = Needs(1, len(new_boots), values=int(items[message]))
            over = _find_over(left[boot[0]], needs, admission.used.get(boot[0], _NOTHING))
            if over is None:
                admission.add(boot[0], needs, new_boots)
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
        self._accounts.left[admission.rows] -= admission.needs
        if admission.used:
            needs = np.array([*admission.used.values()], np.float64)
            needs[:, _TIMES] = [times.get(serial, 0) for serial in admission.used]
            needs[:, _QUARANTINE] = [kept.get(serial, 0) for serial in admission.used]
            self._accounts.left[self._accounts.find([*admission.used], at)] -= needs
        self._boots.update(dict.fromkeys(admission.boots))
        _forget_oldest(self._boots, _BOOTS_REMEMBERED)
        self._accounts.forget_oldest(_DEVICES_REMEMBERED)

    def _new_boots(self, boots: Iterable[BootKey], admission: Admission) -> set[BootKey]:
        return {key for key in boots if key not in self._boots and key not in admission.boots}

    def _left(self, serials: Iterable[str], admission: Admission, at: datetime) -> dict[str, list[float]]:
        """What these devices have left beside what plain messages of the batch need."""
        names = [*dict.fromkeys(serials)]
        rows = self._accounts.find(names, at)
        left = self._accounts.left[rows]
        _, ours, theirs = np.intersect1d(rows, admission.rows, assume_unique=True, return_indices=True)
        left[ours] -= admission.needs[theirs]
        return dict(zip(names, left.tolist(), strict=True))


def _find_over(left: Sequence[float], needs: Needs, used: Needs) -> Allowance | None:
    """The first allowance of which nothing is left, of those that are needed."""
    if left[_CONFLICTS] <= 0:
        return Allowance.CONFLICTS
    rows = zip(_KINDS, needs, left, used, strict=True)
    return next((kind for kind, need, rest, gone in rows if need and rest <= gone), None)


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
