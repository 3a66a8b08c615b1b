"""Who asks for another protocol, as Java's own client does with every request, is answered in this one."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.connections import Patience, patient_protocol

UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
HEAD = b"POST /first HTTP/1.1\r\nHost: x\r\n" + UPGRADE
SMUGGLED = b"GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def listening() -> Iterator[tuple[tuple[str, int], list[tuple[str, bytes]]]]:
    """A server with our protocol and an app that notes the path and the body of each request."""
    asked: list[tuple[str, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append((scope["path"], await Request(scope, receive).body()))
        await Response(b"ok")(scope, receive, send)

    protocol = patient_protocol(Patience(head_s=60, answer_s=60, connections_max=10))
    config = uvicorn.Config(app, loop="uvloop", http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname(), asked
        finally:
            server.should_exit = True
            thread.join()


def ask(where: tuple[str, int], pieces: Sequence[bytes]) -> bytes:
    """Send one piece at a time, each once the server has answered what it could; all answers."""
    answers = b""
    with socket.create_connection(where, timeout=60) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            caller.sendall(piece)
        while received := caller.recv(65_536):
            answers += received
    return answers


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + BODY + SMUGGLED + LAST],
        [HEAD + BODY, SMUGGLED, LAST],
        [bytes([byte]) for byte in HEAD + BODY + SMUGGLED + LAST],
        [HEAD + CHUNKED + LAST],
    ],
    ids=["at once", "head first", "byte by byte", "chunked"],
)
def test_a_body_stays_a_body_where_another_protocol_is_asked_for(pieces: Sequence[bytes]) -> None:
    with listening() as (where, asked):
        assert ask(where, pieces).count(b"HTTP/1.1 200 OK") == 2
    assert asked == [("/first", SMUGGLED), ("/last", b"")]


def test_every_request_of_a_connection_may_ask_for_another_protocol() -> None:
    each = b"GET /each HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n"
    with listening() as (where, asked):
        assert ask(where, [each * 2_000, LAST]).count(b"HTTP/1.1 200 OK") == 2_001
    assert asked == [("/each", b"")] * 2_000 + [("/last", b"")]


def test_a_tunnel_is_refused_in_a_sentence() -> None:
    with listening() as (where, asked):
        answer = ask(where, [b"CONNECT /first HTTP/1.1\r\nHost: x\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b"this server opens no tunnels")
    assert asked == []
