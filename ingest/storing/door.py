"""The door of the lobby: which unknown devices wait with what they sent, and how much of it.

Whoever lets a device in has to bound it, since anybody can make up names. The first half of the lobby is for whoever
comes first. In the other half nobody takes more room than an equal share of it, and a newcomer has to come twice, some
time apart: who makes up a new name for each message never does. What finds no room is dropped, counted and not said to
be safe, so that a device of ours keeps it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest.formats.format import Formats
from ingest.nouns import Decoded, Keeping
from ingest.storing.allowance import UNREGISTERED, Allowance, Drop, quarantine_bytes
from ingest.storing.door_store import Place, select_hall, select_places
from ingest.storing.quarantine import MESSAGE_BYTES, storable
from millpond.kernel.db import ReadConnection
from millpond.kernel.settings import Settings

_KNOCKS_REMEMBERED = 100_000
_KNOCKS_APART = timedelta(minutes=1)
_NAME_MAX = 300
_IDENTITY_MAX = 256
_OTHER_NAMES_MAX = 4


@dataclass(frozen=True, slots=True)
class LobbyLimits:
    """How many unknown devices may wait, with how many messages and bytes each, and with how many bytes in all."""

    devices: int = 10_000
    device_messages: int = 10_000
    device_bytes: int = 4_194_304
    bytes: int = 1_073_741_824

    @classmethod
    def from_settings(cls, settings: Settings) -> "LobbyLimits":
        """As the operator set them."""
        return cls(
            settings.lobby_devices_max,
            settings.lobby_device_messages_max,
            settings.lobby_device_bytes_max,
            settings.lobby_bytes_max,
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who spoke in a batch and is not registered: `name` in quarantine, `identity` and `other_names` in its format, and
    what it says its model is; how many of its messages were dropped, and the topic of its last one."""

    name: str
    format: str
    identity: str
    by_serial: bool
    topic: str
    said_model: str = ""
    other_names: tuple[str, ...] = ()
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """Which results of a batch go on, those that found no room, and the unknown who have a place in the lobby."""

    admitted: list[Decoded] = field(default_factory=list)
    dropped: list[Drop] = field(default_factory=list)
    callers: dict[str, Caller] = field(default_factory=dict)


@dataclass(slots=True)
class _Hall:
    """The lobby as a batch finds it, and as it becomes while the batch comes in."""

    devices: int
    bytes: int
    places: dict[str, Place]


class Door:
    """Lets unknown devices into the lobby, by what is there and by who came to this process before."""

    def __init__(self, limits: LobbyLimits = LobbyLimits()) -> None:
        self._limits = limits
        self._knocks: OrderedDict[str, datetime] = OrderedDict()

    def admit(
        self, conn: ReadConnection, batch: Sequence[Decoded], formats: Formats, keeping: Keeping, at: datetime
    ) -> Entry:
        """What of a batch goes on: all that is of known devices, and of the others what finds room."""
        names = sorted({decoded.serial for decoded in batch if is_unknown(decoded)})
        if not names:
            return Entry(list(batch))
        hall, entry = _Hall(*select_hall(conn), select_places(conn, names)), Entry()
        for decoded in batch:
            if not is_unknown(decoded):
                entry.admitted.append(decoded)
                continue
            place = self._place(hall, decoded.serial, at)
            taken = place is not None and self._take(hall, place, decoded, keeping)
            if taken:
                entry.admitted.append(decoded)
            else:
                entry.dropped.append(Drop(UNREGISTERED, Allowance.LOBBY, decoded.items, len(decoded.delivery.payload)))
            if place is not None:
                _note(entry, decoded, formats, dropped=not taken)
        return entry

    def _place(self, hall: _Hall, name: str, at: datetime) -> Place | None:
        place = hall.places.get(name)
        if place is None and self._lets_in(name, hall.devices, at):
            place = hall.places[name] = Place(name)
            hall.devices += 1
        return place

    def _lets_in(self, name: str, devices: int, at: datetime) -> bool:
        if 2 * devices < self._limits.devices:
            return True
        first = self._knocks.setdefault(name, at)
        if len(self._knocks) > _KNOCKS_REMEMBERED:
            self._knocks.popitem(last=False)
        return at - first >= _KNOCKS_APART and devices < self._limits.devices

    def _take(self, hall: _Hall, place: Place, decoded: Decoded, keeping: Keeping) -> bool:
        limits = self._limits
        share = limits.device_bytes if 2 * hall.bytes < limits.bytes else limits.bytes // 2 // limits.devices
        full = place.messages >= limits.device_messages or place.bytes >= min(share, limits.device_bytes)
        # What a device says of itself, as its status, leaves nothing that would need room.
        if place.refused or (full and decoded.items):
            return False
        need = quarantine_bytes(decoded, keeping) + MESSAGE_BYTES if decoded.items else 0
        place.messages += 1 if decoded.items else 0
        place.bytes += need
        hall.bytes += need
        return True


def is_unknown(decoded: Decoded) -> bool:
    """Whether a result is of a device that is not registered, under a name that can wait."""
    name = decoded.serial
    return decoded.device is None and 0 < len(name) <= _NAME_MAX and storable(name) == name


def _note(entry: Entry, decoded: Decoded, formats: Formats, *, dropped: bool) -> None:
    name, topic = decoded.serial, decoded.delivery.topic
    one, before = formats.reading(topic), entry.callers.get(name)
    if one is not None:
        identity = name if one.by_serial else name.removeprefix(f"{one.language}/")
        count = int(dropped) + (before.dropped if before else 0)
        said = storable(decoded.said_model[:_NAME_MAX]) or (before.said_model if before else "")
        also = _also(decoded) or (before.other_names if before else ())
        entry.callers[name] = Caller(name, one.language, identity, one.by_serial, topic[:_NAME_MAX], said, also, count)


def _also(decoded: Decoded) -> tuple[str, ...]:
    fit = (name for name in decoded.other_names if 0 < len(name) <= _IDENTITY_MAX and storable(name) == name)
    return tuple(fit)[:_OTHER_NAMES_MAX]
