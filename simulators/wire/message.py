"""What goes over the wire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One publish. `samples` and `readings` say what it carries, for counting."""

    topic: str
    payload: bytes
    retain: bool = False
    samples: int = 0
    readings: int = 0
