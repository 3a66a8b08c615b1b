"""Faults a network makes on purpose: at stated rates, seeded, so that a run can be repeated."""

from dataclasses import dataclass, fields, replace

from millpond.kernel.errors import InvalidInput
from simulators.chance import draw
from simulators.device import Message


@dataclass(frozen=True, slots=True)
class Faults:
    """The share of messages, 0 to 1, that each fault strikes.

    `duplicates`: sent twice. `reordering`: sent after the message that follows it. `malformed`: a broken copy goes out
    before the good one, so nothing is lost and the broken ones can be counted.
    """

    duplicates: float = 0.0
    reordering: float = 0.0
    malformed: float = 0.0


def parse_faults(text: str) -> Faults:
    """Faults from `duplicates=0.01,malformed=0.001`; InvalidInput with one sentence when a name or rate is unknown."""
    known = [field.name for field in fields(Faults)]
    rates: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, rate = part.partition("=")
        if name not in known:
            raise InvalidInput(f"fault {name!r} is not known: choose from {', '.join(known)}")
        rates[name] = _parse_rate(name, rate)
    return Faults(**rates)


class FaultInjector:
    """What a message becomes on a bad network. `struck` counts the faults by name."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults, self._seed = faults, seed
        self._sent = 0
        self._held: list[Message] = []
        self.struck = {field.name: 0 for field in fields(Faults)}

    def apply(self, message: Message) -> list[Message]:
        """What goes out now; a held message follows the next one, or `release`."""
        self._sent += 1
        late, self._held = self._held, []
        if self._strikes("reordering"):
            self._held = [message]
            return late
        broken = [_break(message)] if self._strikes("malformed") else []
        copies = 2 if self._strikes("duplicates") else 1
        return broken + [message] * copies + late

    def release(self) -> list[Message]:
        """What is still held back."""
        late, self._held = self._held, []
        return late

    def _strikes(self, fault: str) -> bool:
        rate: float = getattr(self._faults, fault)
        struck = rate > 0 and draw(self._seed, fault, self._sent) < rate
        self.struck[fault] += struck
        return struck


def _parse_rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1
    if not 0 <= rate <= 1:
        raise InvalidInput(f"fault {name} needs a rate from 0 to 1, as in {name}=0.01")
    return rate


def _break(message: Message) -> Message:
    return replace(message, payload=message.payload[: len(message.payload) // 2], samples=0, readings=0)
