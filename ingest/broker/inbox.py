"""Deliveries that wait for the writer: in arrival order, live ones first, and bounded in number and in bytes."""

import threading
from collections import deque
from collections.abc import Sequence

from ingest.nouns import Delivery, Lane
from millpond.kernel.clock import monotonic

_QUIET_S = 0.005


class Queue:
    """One lane's deliveries, oldest first, and how many bytes they hold."""

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque()
        self.bytes = 0

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Add the newest."""
        self.deliveries.extend(deliveries)
        self.bytes += sum([len(delivery.payload) for delivery in deliveries])

    def move(self, batch: list[Delivery], most: int, room: int) -> int:
        """Take the oldest into `batch`, until it has `most` or `room` bytes are used; an empty one takes any message.

        Returns how many bytes of the room are left.
        """
        if len(batch) + len(self.deliveries) <= most and self.bytes <= room:
            batch += self.deliveries
            self.deliveries.clear()
            self.bytes, room = 0, room - self.bytes
        while self.deliveries and len(batch) < most and (not batch or len(self.deliveries[0].payload) <= room):
            delivery = self.deliveries.popleft()
            batch.append(delivery)
            self.bytes -= len(delivery.payload)
            room -= len(delivery.payload)
        return room


class Inbox:
    """A queue for each lane, of which each has the same bounds. Filled by network threads, emptied by the writer."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._changed = threading.Condition()
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._queues = {lane: Queue() for lane in Lane}

    def put(self, lane: Lane, deliveries: Sequence[Delivery]) -> bool:
        """Add deliveries of one lane; False when it is full with them. Never blocks on the database."""
        with self._changed:
            queue = self._queues[lane]
            queue.put(deliveries)
            self._changed.notify()
            return len(queue.deliveries) < self._max_messages and queue.bytes < self._max_bytes

    def has_room(self, lane: Lane) -> bool:
        """Whether a lane that was full is down to half of what it may hold."""
        with self._changed:
            queue = self._queues[lane]
            return 2 * len(queue.deliveries) <= self._max_messages and 2 * queue.bytes <= self._max_bytes

    def take(self, most: int, most_bytes: int, wait_s: float) -> list[Delivery]:
        """Deliveries of one lane, live before backfill, after at most `wait_s` seconds; may be empty."""
        batch: list[Delivery] = []
        with self._changed:
            if not any(queue.deliveries for queue in self._queues.values()):
                self._changed.wait(wait_s)
            lane = Lane.LIVE if self._queues[Lane.LIVE].deliveries else Lane.BACKFILL
            self._queues[lane].move(batch, most, most_bytes)
        return batch

    def fill(self, lane: Lane, batch: list[Delivery], most: int, most_bytes: int, wait_s: float) -> None:
        """Extend `batch` with what comes in `lane`, for at most `wait_s` seconds and while it keeps coming and fits.

        A broker with a small window sends nothing more until we acknowledge: waiting on would only cost time.
        """
        deadline = monotonic() + wait_s
        room = most_bytes - sum([len(delivery.payload) for delivery in batch])
        with self._changed:
            queue = self._queues[lane]
            while len(batch) < most and monotonic() < deadline:
                if not queue.deliveries and not self._changed.wait(_QUIET_S):
                    return
                room = queue.move(batch, most, room)
                if queue.deliveries:
                    return

    def lag_s(self) -> float:
        """How many seconds the oldest delivery that waits has waited; 0 when none waits."""
        with self._changed:
            oldest = [queue.deliveries[0].arrived_s for queue in self._queues.values() if queue.deliveries]
        return monotonic() - min(oldest) if oldest else 0.0

    def waiting(self, lane: Lane | None = None) -> int:
        """How many deliveries wait, in one lane or in all."""
        with self._changed:
            return sum(len(queue.deliveries) for key, queue in self._queues.items() if lane in (None, key))

    def waiting_bytes(self) -> int:
        """How many bytes wait in all lanes."""
        with self._changed:
            return sum(queue.bytes for queue in self._queues.values())
