"""Connections that say nothing, or never listen, are closed: nobody holds a place who does not use it.

uvicorn waits for ever for the rest of a request, and for a caller to read its answer; with its fast parser (httptools)
it also keeps a head of any length, and reads on while requests queue up. Here a connection has so long to bring the
whole head of its next request, so many bytes for it, and so long to take what is sent; nothing more is read from it
while requests wait for their turn. When there are too many, the one that has waited longest without a request makes
room; only where all are at work is a newcomer answered 503.

Who asks for another protocol (Java's own client does, for HTTP/2, with every request) is answered in this one. The fast
parser would take such a request's body for what follows it.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from sys import exception
from typing import Any

from httptools import HttpRequestParser
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_MAX_BYTES = 65_536
_ARRIVALS = count()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller may take to bring a head and to take an answer, in seconds, and how many may be there."""

    head_s: float
    answer_s: float
    connections_max: int


class _Flow(FlowControl):
    """Reads on only when no request of the connection waits for the answers before it."""

    def __init__(self, transport: asyncio.Transport, waiting: Collection[object]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to every wait."""

    patience = Patience(head_s=10, answer_s=60, connections_max=500)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn asks for more than it uses
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._arrival = next(_ARRIVALS)
        self._unread_bytes = 0
        self._piece, self._rest = b"", b""
        self._wait_for_head()
        if len(self.connections) > self.patience.connections_max:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        self._unread_bytes += len(data)
        self._rest = data
        while self._rest:
            self._piece, self._rest = self._rest, b""
            super().data_received(self._piece)
        if self._unread_bytes > HEAD_MAX_BYTES:
            self._refuse_length()
        # The time runs from a head's first byte to its last, however many pieces it comes in.
        if self._at_work:
            self._stop_waiting()
        elif self._head_timer is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """The parser's: a head came to its end."""
        self._unread_bytes = 0
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        self._unanswered.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """The parser's: a piece of a body; how large a body may be, `BodyLimit` says."""
        self._unread_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The parser's: a request came to its end."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """uvicorn's: the parser stopped after a head that asks for another protocol.

        It is read again without that wish, by a new parser that goes on with what follows: it may be the body.
        """
        stopped = exception()
        if self.parser.get_method() == b"CONNECT" or stopped is None:
            self.send_400_response("this server opens no tunnels")
            return
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            head += [name, b": ", value, b"\r\n"] if name != b"upgrade" else []
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._rest = b"".join([*head, b"\r\n", self._piece[stopped.args[0] :]])

    def on_response_complete(self) -> None:
        """The oldest request's answer is sent."""
        self._unanswered.popleft()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        for cycle in self._unanswered:  # uvicorn tells only the youngest, and the oldest would write on.
            cycle.disconnected = True
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

    def _refuse_length(self) -> None:
        """Neither a head nor a piece of a body came of so much: it is a head, or a body's trailer, without end."""
        self._unread_bytes = 0
        if not self.transport.is_closing():
            self.send_400_response(f"a head has at most {HEAD_MAX_BYTES} bytes")

    def _make_room(self) -> None:
        # The loop counts milliseconds, and a crowd comes in one: then the first that came.
        longest = min(self._waiting(), key=lambda each: (each.waits_until or 0, each._arrival), default=None)
        if longest is not None:
            longest.transport.abort()
            self.connections.discard(longest)  # Its end is told later; the newcomer's request may come before.

    def _waiting(self) -> Iterator["PatientProtocol"]:
        others = (each for each in self.connections if isinstance(each, PatientProtocol) and each is not self)
        return (each for each in others if each.waits_until is not None and not each.transport.is_closing())


def patient_protocol(patience: Patience) -> type[PatientProtocol]:
    """The protocol with that patience, as uvicorn takes it."""
    made: Any = type("PatientProtocol", (PatientProtocol,), {"patience": patience})
    protocol: type[PatientProtocol] = made
    return protocol
