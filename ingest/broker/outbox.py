"""Messages of ours on their way to the broker, at least once each, whatever becomes of a connection."""

from collections import deque
from collections.abc import Iterable

from ingest.broker.packets import publish

_LAST_MID = 65_000
_IN_FLIGHT_MAX = 1_000


class Outbox:
    """What was not confirmed yet, oldest first, at most `most`; beyond that the oldest that waits is dropped.

    What is dropped comes again in other words: an acknowledgement covers the one before, and gaps are asked for again.
    Not for several threads at once.
    """

    def __init__(self, most: int) -> None:
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=most)
        self._in_flight: dict[int, tuple[str, bytes]] = {}
        self._last_mid = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    def put(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Add topics and payloads."""
        for message in messages:
            self.dropped += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(message)

    def next_packets(self) -> bytes:
        """What is to be sent now: as much of what waits as may be in flight."""
        packets = []
        while self._waiting and len(self._in_flight) < _IN_FLIGHT_MAX:
            message = self._waiting.popleft()
            mid = self._next_mid()
            self._in_flight[mid] = message
            packets.append(publish(mid, *message))
        return b"".join(packets)

    def confirm(self, mid: int) -> None:
        """The broker has it."""
        self._in_flight.pop(mid, None)

    def packets_again(self) -> bytes:
        """What is to be sent first on a new connection: all that was in flight on the last one (4.4)."""
        return b"".join(publish(mid, *message, again=True) for mid, message in self._in_flight.items())

    def _next_mid(self) -> int:
        while True:
            self._last_mid = self._last_mid % _LAST_MID + 1
            if self._last_mid not in self._in_flight:
                return self._last_mid
