"""A message that the broker handed to us and that is not acknowledged yet."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Lane(IntEnum):
    """Live messages are stored first; backfill waits for them and never the other way round."""

    LIVE = 0
    BACKFILL = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """One PUBLISH as it came: `mid` and `epoch` say which connection's acknowledgement it is owed."""

    topic: str
    payload: bytes
    received_at: datetime
    lane: Lane
    mid: int
    qos: int
    epoch: int
