"""A small TCP proxy whose link can be cut, fall silent, crawl, or answer late."""

import asyncio
import socket
import struct
import threading
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from millpond.kernel.clock import monotonic

_CHUNK = 16_384
_TRICKLE_BYTES_S = 1024


class Link(Enum):
    """What the link does to what passes it."""

    CLEAR = "clear"
    BLACK_HOLE = "black hole"
    TRICKLE = "1 KB/s"
    SLOW = "slow"
    REFUSE = "reset"


@dataclass(slots=True)
class _Talk:
    """Whether the target has said something since the client last did."""

    answered: bool = True


class Proxy:
    """Forwards a local port to another on a thread of its own. `delay_s` is what SLOW adds to each client's message."""

    def __init__(self, target_port: int, *, delay_s: float = 0.2) -> None:
        self._target_port, self._delay_s = target_port, delay_s
        self._link = Link.CLEAR
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def set(self, link: Link) -> None:
        """Change the link; `REFUSE` also resets what is connected."""
        asyncio.run_coroutine_threadsafe(self._change(link), self._loop).result(5)

    def close(self) -> None:
        """Cut everything and end the thread."""
        if self._thread.is_alive():
            self.set(Link.REFUSE)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._listener))
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _change(self, link: Link) -> None:
        self._link = link
        if link is Link.REFUSE:
            for writer in list(self._writers):
                _reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._link is Link.REFUSE:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, far_writer}
        talk = _Talk()
        await asyncio.gather(
            self._pump(reader, far_writer, talk, outward=True), self._pump(far_reader, writer, talk, outward=False)
        )
        self._writers -= {writer, far_writer}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: _Talk, *, outward: bool
    ) -> None:
        try:
            while chunk := await reader.read(_CHUNK):
                # A long question comes in pieces; it is slow once, until the next answer.
                await self._carry(chunk, writer, slow=outward and talk.answered)
                talk.answered = not outward
        except OSError:
            pass
        finally:
            writer.close()

    async def _carry(self, chunk: bytes, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        """Deliver a chunk as the link is while it passes; nothing is ever dropped from the middle of a stream."""
        while chunk:
            match self._link:
                case Link.CLEAR | Link.REFUSE:
                    part, wait_s = chunk, 0.0
                case Link.SLOW:
                    part, wait_s = chunk, self._delay_s if slow else 0.0
                case Link.TRICKLE:
                    part, wait_s = chunk[: _TRICKLE_BYTES_S // 10], 0.1
                case Link.BLACK_HOLE:
                    part, wait_s = b"", 0.05
                case _:
                    assert_never(self._link)
            if wait_s:
                await self._wait(wait_s)
            if part:
                writer.write(part)
                await writer.drain()
                chunk = chunk[len(part) :]

    async def _wait(self, seconds: float) -> None:
        link, end = self._link, monotonic() + seconds
        while self._link is link and (left := end - monotonic()) > 0:
            await asyncio.sleep(min(left, 0.05))


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN, as a middlebox does that has forgotten the connection."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
