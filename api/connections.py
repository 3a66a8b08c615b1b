"""Connections that say nothing, or never listen, are closed: nobody holds a place who does not use it.

uvicorn waits for ever for the rest of a request, and for a caller to read its answer. Here a connection has so long to
bring the whole head of its next request, and so long to take what is sent. When there are too many, the one that
has waited longest without a request makes room; only where all are at work is a newcomer answered 503.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller may take to bring a head and to take an answer, in seconds, and how many may be there."""

    head_s: float
    answer_s: float
    connections_max: int


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to every wait."""

    patience = Patience(head_s=10, answer_s=60, connections_max=500)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._wait_for_head()
        if len(self.connections) > self.patience.connections_max:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # The time runs from a head's first byte to its last, however many pieces it comes in.
        if self._at_work:
            self._stop_waiting()
        elif self._head_timer is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The caller does not take what is sent."""
        super().pause_writing()
        self._answer_timer = self.loop.call_later(self.patience.answer_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    @property
    def waits_until(self) -> float | None:
        """When, on the loop's clock, it will have waited too long for its next request; None while it is at work."""
        timer = self._head_timer or self.timeout_keep_alive_task
        return timer.when() if timer is not None and not self._at_work else None

    @property
    def _at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.patience.head_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _make_room(self) -> None:
        longest = min(self._waiting(), key=lambda each: each.waits_until or 0, default=None)
        if longest is not None:
            longest.transport.abort()

    def _waiting(self) -> Iterator["PatientProtocol"]:
        others = (each for each in self.connections if isinstance(each, PatientProtocol) and each is not self)
        return (each for each in others if each.waits_until is not None and not each.transport.is_closing())


def patient_protocol(patience: Patience) -> type[PatientProtocol]:
    """The protocol with that patience, as uvicorn takes it."""
    made: Any = type("PatientProtocol", (PatientProtocol,), {"patience": patience})
    protocol: type[PatientProtocol] = made
    return protocol
