"""`serve` with hard hands on its sockets: who says nothing is let go, and everybody else is answered."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.connections import Patience, PatientProtocol, patient_protocol
from millpond.embedded.ports import free_port
from millpond.kernel.clock import SystemClock
from millpond.kernel.settings import Settings
from millpond.services import serving
from tests.api.world import SECRET

HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: "
HALF_A_BODY = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


@contextmanager
def served(dsn: str, **more: Any) -> Iterator[tuple[str, int]]:
    settings = Settings(database_url=SecretStr(dsn), jwt_secret=SecretStr(SECRET), http_port=0, **more)
    with serving(settings, SystemClock()) as address:
        yield "127.0.0.1", int(address.rpartition(":")[2])


def open_half(where: tuple[str, int], beginning: bytes) -> socket.socket:
    half = socket.create_connection(where, timeout=60)
    half.sendall(beginning)
    return half


def is_alive(where: tuple[str, int]) -> bool:
    return httpx.get(f"http://{where[0]}:{where[1]}/healthz", timeout=60).status_code == 200


def read_to_the_end(half: socket.socket) -> bytes:
    """All that still comes until the other side closes; the socket's own time-out is the test's."""
    received = b""
    try:
        while piece := half.recv(4096):
            received += piece
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("beginning", [b"", b"G", HALF_A_HEAD], ids=["nothing", "a letter", "half a head"])
def test_a_head_that_never_ends_ends_the_connection(database: str, beginning: bytes) -> None:
    with served(database, http_head_timeout_s=0.5) as where, ExitStack() as stack:
        halves = [stack.enter_context(open_half(where, beginning)) for _ in range(40)]
        assert is_alive(where)
        assert [read_to_the_end(half) for half in halves] == [b""] * 40
        assert is_alive(where)


def test_a_head_that_comes_in_drops_is_no_longer_waited_for(database: str) -> None:
    """Each byte would start the time anew, if it ran from the last one."""
    with served(database, http_head_timeout_s=1) as where, open_half(where, HALF_A_HEAD) as half:
        assert trickle(half) < 10_000
        assert is_alive(where)


def trickle(half: socket.socket) -> int:
    """Send drops until the other side closes; how many it took."""
    half.settimeout(0.02)
    for dropped in range(10_000):
        try:
            half.sendall(b"x")
            if half.recv(1) == b"":
                return dropped
        except TimeoutError:
            continue
        except OSError:
            return dropped
    return 10_000


LONG_VALUE, MANY_HEADERS = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
LONG_TRAILER = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"


@pytest.mark.parametrize(
    ("beginning", "more"),
    [(LONG_VALUE, b"x" * 1000), (MANY_HEADERS, b"A: b\r\n" * 100), (LONG_TRAILER, b"A: b\r\n" * 100)],
    ids=["one value", "many headers", "a trailer"],
)
def test_a_head_without_end_is_refused_and_not_kept(database: str, beginning: bytes, more: bytes) -> None:
    with (
        served(database, http_head_timeout_s=600, http_body_timeout_s=600) as where,
        open_half(where, beginning) as half,
    ):
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1_000):
                half.sendall(more)
        answer = read_to_the_end(half)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
        assert is_alive(where)


def test_a_long_head_is_answered(database: str) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: " + b"x" * 60_000 + b"\r\n\r\n"
    with served(database) as where, open_half(where, request) as whole:
        assert read_to_the_end(whole).startswith(b"HTTP/1.1 200")


def test_a_body_that_never_ends_is_answered_408(database: str) -> None:
    with served(database, http_body_timeout_s=0.5) as where, ExitStack() as stack:
        halves = [stack.enter_context(open_half(where, HALF_A_BODY)) for _ in range(40)]
        assert is_alive(where)
        for half in halves:
            head, _, body = read_to_the_end(half).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408")
            assert json.loads(body)["detail"] == "the body did not come within 0.5 s"
        assert is_alive(where)


def test_a_connection_without_a_next_request_ends(database: str) -> None:
    with served(database, http_keep_alive_s=1) as where:
        with open_half(where, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as idle:
            assert read_to_the_end(idle).startswith(b"HTTP/1.1 200")
        with open_half(where, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he") as half:
            assert read_to_the_end(half).count(b"HTTP/1.1 200") == 1


def test_who_takes_no_answer_is_let_go(database: str) -> None:
    request = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"
    with served(database, http_body_timeout_s=0.5) as where, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.settimeout(60)
        deaf.connect(where)
        # Asked for more than the buffers hold and never read: the server gives up, and so does the sending.
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_for_ever(deaf, request)
        assert is_alive(where)


def send_for_ever(deaf: socket.socket, request: bytes) -> None:
    while True:
        deaf.sendall(request)


def test_no_more_is_read_while_requests_wait_for_their_turn() -> None:
    """Each answer would let a whole piece more be read: 5,000 requests would soon wait in memory."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1_000 + b"\r\n\r\n"
    with listening_uvicorn() as (where, waiting), socket.create_connection(where, timeout=60) as hasty:
        sender = threading.Thread(target=hasty.sendall, args=[request * 5_000])
        sender.start()
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 5_000:
            answers += hasty.recv(65_536)
        sender.join()
    assert len(waiting) == 5_000
    assert max(waiting) < 300  # What one piece of 256 kB holds.


@contextmanager
def listening_uvicorn() -> Iterator[tuple[tuple[str, int], list[int]]]:
    """A server with our protocol and an app that notes, at each request, how many of its connection wait."""
    waiting: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        ours = (each for each in server.server_state.connections if isinstance(each, PatientProtocol))
        waiting.append(max(len(each.pipeline) for each in ours))
        await Response(b"ok")(scope, receive, send)

    protocol = patient_protocol(Patience(head_s=60, answer_s=60, connections_max=10))
    server = uvicorn.Server(
        uvicorn.Config(app, loop="uvloop", http=protocol, ws="none", lifespan="off", log_config=None)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname(), waiting
        finally:
            server.should_exit = True
            thread.join()


def test_above_the_limit_who_waits_longest_makes_room(database: str) -> None:
    with served(database, http_connections_max=20, http_head_timeout_s=60) as where, ExitStack() as stack:
        halves = [stack.enter_context(open_half(where, HALF_A_HEAD)) for _ in range(60)]
        for _ in range(5):
            assert is_alive(where)
        assert [read_to_the_end(half) for half in halves[:30]] == [b""] * 30


def test_a_whole_request_in_pieces_is_answered(database: str) -> None:
    with served(database) as where, open_half(where, b"GET /heal") as half:
        half.sendall(b"thz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b'{"status":"alive"}' in read_to_the_end(half)


def test_serve_has_a_metrics_page_of_its_own(database: str) -> None:
    port = free_port()
    with served(database, metrics_port=port) as where:
        assert is_alive(where)
        page = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert "millpond_ingest_received_total 0.0" in page
    assert "millpond_http_requests_total" in page
