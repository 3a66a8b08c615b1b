"""A broker that a test plays byte by byte: what no real one would send, and what a client really sent."""

import socket
from types import TracebackType
from typing import Self

from ingest.broker.packets import Packet, Published, Stream
from ingest.broker.packets import publish as publish_packet

PATIENCE_S = 10.0
CONNECT, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 8, 12, 14
ACCEPTED = b"\x20\x02\x00\x00"


class PlayedBroker:
    """Listens on a port of its own, and has one connection after the other."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE_S)
        self.port = int(self._server.getsockname()[1])
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._client = socket.socket()
        self._stream = Stream()
        self.published: list[Published] = []
        self.others: list[Packet] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._client.close()
        self._server.close()

    def accept(self, answer: bytes = ACCEPTED) -> None:
        """Take the next connection, and say that it is welcome."""
        self._client.close()
        self._client, _ = self._server.accept()
        self._client.settimeout(PATIENCE_S)
        self._stream, self.published, self.others = Stream(), [], []
        self.wait_for(CONNECT)
        self.send(answer)

    def send(self, data: bytes) -> None:
        """Send these bytes, whatever they are."""
        self._client.sendall(data)

    def publish(self, mid: int, payload: bytes, topic: str = "millpond/v1/A/telemetry") -> None:
        """Send a message."""
        self.send(publish_packet(mid, topic, payload))

    def wait_for(self, kind: int, count: int = 1) -> list[Packet]:
        """The packets of a kind that came on this connection, once there are so many."""
        while len(found := [packet for packet in self.others if packet.kind == kind]) < count:
            self._hear()
        return found

    def wait_for_published(self, count: int) -> list[Published]:
        """The messages that came on this connection, once there are so many."""
        while len(self.published) < count:
            self._hear()
        return self.published

    def _hear(self) -> None:
        data = self._client.recv(65_536)
        assert data, "the client closed the connection"
        parsed = self._stream.feed(data)
        assert not parsed.fault, parsed.fault
        self.published += parsed.published
        self.others += parsed.others


def mids(packets: list[Packet]) -> list[int]:
    """The packet ids that these begin with."""
    return [packet.mid for packet in packets]
