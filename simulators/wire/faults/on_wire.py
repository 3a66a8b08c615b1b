"""What a bad network, or a device's bad firmware, makes of single messages."""

import re
from collections import Counter
from dataclasses import replace

from simulators.life.chance import draw
from simulators.wire.faults.rates import Faults
from simulators.wire.message import Message

OVERSIZED_BYTES = 300_000
_BROKEN = ("malformed", "truncated", "corrupt", "nan", "oversized")
_NUMBER = re.compile(rb'("[a-z0-9_]+":)(-?\d[\d.eE+-]*)(?=[,}])')


class FaultInjector:
    """What each device's messages become on their way; `struck` counts by fault.

    A strike depends on the device and on the message's number among that device's, not on what others send.
    """

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults, self._seed = faults, seed
        self._active = bool(faults.active())
        self._sent: Counter[str] = Counter()
        self._held: dict[str, Message] = {}
        self.struck: Counter[str] = Counter()

    def apply(self, message: Message, serial: str = "") -> list[Message]:
        """What goes out now; a held message follows the device's next one, or `release`."""
        if not self._active:
            return [message]
        self._sent[serial] += 1
        late = self.release(serial)
        if self._strikes("reordering", serial):
            self._held[serial] = message
            return late
        broken = [self._break(fault, message, serial) for fault in _BROKEN if self._strikes(fault, serial)]
        copies = 2 if self._strikes("duplicates", serial) else 1
        return broken + [message] * copies + late

    def release(self, serial: str = "") -> list[Message]:
        """What is still held back of that device."""
        late = self._held.pop(serial, None)
        return [late] if late else []

    @property
    def held(self) -> int:
        """How many messages are held back."""
        return len(self._held)

    def _strikes(self, fault: str, serial: str) -> bool:
        rate: float = getattr(self._faults, fault)
        struck = rate > 0 and draw(self._seed, fault, serial, self._sent[serial]) < rate
        self.struck[fault] += struck
        return struck

    def _break(self, fault: str, message: Message, serial: str) -> Message:
        share = draw(self._seed, fault, serial, self._sent[serial], "where")
        return replace(message, payload=_BREAKERS[fault](message.payload, share), samples=0, readings=0)


def _halve(payload: bytes, _share: float) -> bytes:
    return payload[: len(payload) // 2]


def _truncate(payload: bytes, share: float) -> bytes:
    # Behind its number, so that no two are alike: the platform keeps equal bytes once.
    return payload[: int((0.4 + 0.6 * share) * len(payload))]


def _corrupt(payload: bytes, share: float) -> bytes:
    """Eight bytes that no JSON has, somewhere inside."""
    place = int(share * max(0, len(payload) - 8))
    return payload[:place] + b"\xff\x00\xfe\x80\x81\xc0\xaf\x7f" + payload[place + 8 :]


def _make_nan(payload: bytes, share: float) -> bytes:
    """One number among the metrics is NaN, as a C library prints it."""
    begin = payload.find(b'"metrics":') + 10
    found = list(_NUMBER.finditer(payload, begin, payload.find(b"}", begin) + 1))
    if not found:
        return _halve(payload, share)
    hit = found[int(share * len(found))]
    return payload[: hit.start(2)] + b"NaN" + payload[hit.end(2) :]


def _oversize(payload: bytes, _share: float) -> bytes:
    return payload[:-1] + b" " * (OVERSIZED_BYTES - len(payload)) + b"}"


_BREAKERS = {"malformed": _halve, "truncated": _truncate, "corrupt": _corrupt, "nan": _make_nan, "oversized": _oversize}
