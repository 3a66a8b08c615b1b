"""Just enough of MQTT 3.1.1 to publish with QoS 1 from one thread over thousands of connections, batch by batch.

paho spends tens of microseconds and a thread on what is here one concatenation; load must never wait for its source.
"""

import socket
import ssl
import struct
from collections.abc import Iterator

from millpond.kernel.broker import BrokerAddress, TlsFiles, tls_context
from millpond.kernel.errors import ConfigurationError, Unavailable
from simulators.wire.message import Message

_REFUSALS = {1: "the protocol version", 2: "the client id", 3: "us for now", 4: "the user or password", 5: "access"}
_READ_BYTES = 262_144


class BareConnection:
    """One connection, in blocking mode until `connect` returned. `unconfirmed` counts QoS 1 publishes in flight."""

    def __init__(self, broker: BrokerAddress, client_id: str, tls: TlsFiles, timeout_s: float, will: Message | None):
        self.unconfirmed = 0
        self._where = f"broker {broker.host}:{broker.port}"
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._packet_id = 0
        self._socket = self._open(broker, tls, timeout_s)
        self._log_in(_connect_packet(client_id, broker.username, broker.password, will))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """For selectors."""
        return self._socket.fileno()

    @property
    def backlog(self) -> int:
        """Bytes that the socket has not taken yet."""
        return len(self._outgoing)

    def subscribe(self, topic: str) -> None:
        """Ask for `topic` with QoS 0."""
        self._queue(_packet(0x82, b"\x00\x01" + _text(topic.encode()) + b"\x00"))

    def publish(self, topic: bytes, payload: bytes, *, retain: bool = False) -> None:
        """Queue one publish of QoS 1; `topic` comes with its two bytes of length. `flush` sends."""
        self._packet_id = self._packet_id % 65_535 + 1
        self.unconfirmed += 1
        size = len(topic) + 2 + len(payload)
        # Most packets have two bytes of length; the general form costs twice as much.
        if 128 <= size < 16_384:
            head = struct.pack("!BBB", 0x33 if retain else 0x32, size & 127 | 128, size >> 7)
        else:
            head = bytes((0x33 if retain else 0x32,)) + _length(size)
        self._outgoing += head + topic + self._packet_id.to_bytes(2, "big") + payload

    def flush(self) -> None:
        """Send what the socket takes now; Unavailable when the broker has gone."""
        try:
            while self._outgoing:
                sent = self._socket.send(memoryview(self._outgoing)[:_READ_BYTES])
                del self._outgoing[:sent]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise self._gone(error) from error

    def receive(self) -> Iterator[tuple[bytes, bytes]]:
        """Take in what came: confirmations are counted, topic and payload of messages are yielded."""
        self._read()
        yield from self._split()

    def close(self) -> None:
        """Take leave as far as the socket lets us."""
        self._outgoing += b"\xe0\x00"
        try:
            self._socket.setblocking(True)
            self._socket.settimeout(2)
            self._socket.sendall(self._outgoing)
            # A socket that is closed with unread bytes resets the connection, and what we just sent is lost.
            while self._socket.recv(_READ_BYTES):
                pass
        except OSError:
            pass
        finally:
            self._socket.close()

    def _open(self, broker: BrokerAddress, tls: TlsFiles, timeout_s: float) -> socket.socket:
        try:
            plain = socket.create_connection((broker.host, broker.port), timeout_s)
        except OSError as error:
            raise Unavailable(f"{self._where} cannot be reached: {error}") from error
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not broker.tls:
            return plain
        try:
            return tls_context(tls).wrap_socket(plain, server_hostname=broker.host)
        except OSError as error:
            plain.close()
            raise Unavailable(f"{self._where} cannot be reached: {error}") from error
        except ConfigurationError:
            plain.close()
            raise

    def _log_in(self, packet: bytes) -> None:
        try:
            self._socket.sendall(packet)
            answer = self._socket.recv(4)
        except OSError as error:
            self._socket.close()
            raise Unavailable(f"{self._where} did not answer the connect") from error
        if len(answer) == 4 and answer[3] == 0:
            return
        self._socket.close()
        what = _REFUSALS.get(answer[3], "the connection") if len(answer) == 4 else "the connection"
        raise Unavailable(f"{self._where} refused {what}")

    def _queue(self, packet: bytes) -> None:
        self._outgoing += packet
        self.flush()

    def _read(self) -> None:
        try:
            while True:
                piece = self._socket.recv(_READ_BYTES)
                if not piece:
                    raise self._gone(None)
                self._incoming += piece
                if len(piece) < _READ_BYTES and not isinstance(self._socket, ssl.SSLSocket):
                    return
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise self._gone(error) from error

    def _split(self) -> Iterator[tuple[bytes, bytes]]:
        buffer, at = self._incoming, 0
        count = len(buffer) // 4
        # Under load nothing but confirmations comes, four bytes each: they are counted at once.
        if buffer[0 : 4 * count : 4] == b"\x40" * count and buffer[1 : 4 * count : 4] == b"\x02" * count:
            self.unconfirmed -= count
            at = 4 * count
        while (packet := _next_packet(buffer, at)) is not None:
            kind, begin, at = packet
            if kind >> 4 == 4:
                self.unconfirmed -= 1
            elif kind >> 4 == 3:
                size = int.from_bytes(buffer[begin : begin + 2], "big")
                yield bytes(buffer[begin + 2 : begin + 2 + size]), bytes(buffer[begin + 2 + size : at])
        del buffer[:at]

    def _gone(self, error: OSError | None) -> Unavailable:
        return Unavailable(f"{self._where} ended the connection{f': {error}' if error else ''}")


def topic_bytes(topic: str) -> bytes:
    """A topic as a packet has it: two bytes of length, then UTF-8."""
    return _text(topic.encode())


def _next_packet(buffer: bytearray, at: int) -> tuple[int, int, int] | None:
    """Kind, begin of the body and end of the packet at `at`; None while it is not whole."""
    size, shift, place = 0, 0, at + 1
    while place < len(buffer):
        size |= (buffer[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if buffer[place - 1] < 128:
            return (buffer[at], place, place + size) if place + size <= len(buffer) else None
    return None


def _connect_packet(client_id: str, user: str | None, password: str | None, will: Message | None) -> bytes:
    flags, body = 0x02, _text(client_id.encode())
    if will:
        flags |= 0x0C | (0x20 if will.retain else 0)
        body += _text(will.topic.encode()) + _text(will.payload)
    if user is not None:
        flags |= 0x80
        body += _text(user.encode())
    if user is not None and password is not None:
        flags |= 0x40
        body += _text(password.encode())
    return _packet(0x10, _text(b"MQTT") + bytes((4, flags, 0, 0)) + body)


def _packet(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + _length(len(body)) + body


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, low = size >> 7, size & 127
        encoded.append(low | (128 if size else 0))
        if not size:
            return bytes(encoded)


def _text(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw
