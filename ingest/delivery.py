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
    """One PUBLISH as it came: `mid` and `epoch` say which connection's acknowledgement it is owed.

    `arrived_s` is when, on the monotonic clock: how long it has waited since is ingest's lag. `retained` says that the
    broker had kept it for whoever subscribes: it may be of any age. `redelivered` says that it handed it to us before.
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
