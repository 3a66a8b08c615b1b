"""One connection to the broker as bytes: over TCP or TLS, never blocking once it stands, and sent on by any thread."""

import contextlib
import select
import socket
import ssl
import threading

from millpond.kernel.broker import BrokerAddress

_CONNECT_S = 5.0
_GOODBYE_S = 2.0
READ_BYTES = 65_536
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """A connection. One thread waits and receives; any may send, and what the socket does not take at once waits.

    Raises OSError, or ValueError for a host that is no name, when the broker cannot be reached.
    """

    def __init__(self, address: BrokerAddress, tls: ssl.SSLContext | None) -> None:
        self._lock = threading.Lock()
        self._outgoing = bytearray()
        self._wakes, self._woken = socket.socketpair()
        self._wakes.setblocking(False)
        self._socket = _dial(address, tls)
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)

    def send(self, data: bytes) -> None:
        """Send, after what was sent before; on a connection that has ended it is lost without a word."""
        with self._lock:
            self._outgoing += data
            if not self._flush():
                self.wake()

    def wake(self) -> None:
        """End the wait of the thread that waits."""
        with contextlib.suppress(OSError):
            self._wakes.send(b"\x00")

    def wait(self, seconds: float, *, reading: bool) -> None:
        """Return when there may be something to receive, or to send, when somebody wakes us, or after a while.

        Raises ConnectionError when the connection has ended and nobody reads.
        """
        with self._lock:
            if reading and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                return
            events = (select.POLLIN if reading else 0) | (select.POLLOUT if self._outgoing else 0)
            self._poll.register(self._socket, events)
        for number, event in self._poll.poll(1000 * seconds):
            if number == self._woken.fileno():
                self._woken.recv(READ_BYTES)
            elif not reading and event & (select.POLLHUP | select.POLLERR):
                raise ConnectionResetError("the broker closed the connection")
        with self._lock:
            self._flush()

    def receive(self) -> bytes:
        """What has come, which may be nothing yet. Raises ConnectionError when the connection has ended."""
        with self._lock:
            try:
                data = self._socket.recv(READ_BYTES)
            except _NOT_NOW:
                return b""
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    def close(self, goodbye: bytes = b"") -> None:
        """End it, at once, or politely after `goodbye`: what was sent before arrives."""
        with contextlib.suppress(OSError), self._lock:
            if goodbye:
                self._say_goodbye(goodbye)
        self._socket.close()
        self._wakes.close()
        self._woken.close()

    def _say_goodbye(self, goodbye: bytes) -> None:
        self._socket.settimeout(_GOODBYE_S)
        self._socket.sendall(self._outgoing + goodbye)
        # A socket that is closed with unread bytes resets the connection, and what we just sent is lost.
        while self._socket.recv(READ_BYTES):
            pass

    def _flush(self) -> bool:
        """Whether nothing waits any longer. An error is left to whoever receives, who ends the connection."""
        with contextlib.suppress(OSError):
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing)]
        return not self._outgoing


def _dial(address: BrokerAddress, tls: ssl.SSLContext | None) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), _CONNECT_S)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tls.wrap_socket(plain, server_hostname=address.host) if tls else plain
    except BaseException:
        plain.close()
        raise
