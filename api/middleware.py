"""What happens to every request: an id, a size limit, safe headers, and a count by route."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from millpond.kernel.clock import monotonic
from millpond.kernel.ids import new_id
from millpond.kernel.log import REQUEST_ID

BODY_MAX_BYTES = 1_048_576
_GONE = 499  # As nginx counts a caller who hung up; no answer ever carries it.

_REQUESTS = Counter("millpond_http_requests", "Requests by route template.", ["method", "route", "status"])
_SECONDS = Histogram("millpond_http_request_seconds", "Time to the last byte, by route template.", ["method", "route"])
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

# Only our own files: no inline script or style, nothing from elsewhere, and nobody may frame us.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
_SAFE_HEADERS = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_NO_STORE = (b"cache-control", b"no-store")

Headers = Iterable[tuple[bytes, bytes]]


class Observe:
    """Counts each request and its time to the last byte, by route template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = monotonic(), 500

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_observed)
        except ClientDisconnect:
            status = _GONE  # Half a request is no wish, and nobody is there to be told.
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            _counter(method, route, status).inc()
            _timer(method, route).observe(monotonic() - started)


# prometheus_client looks a label set up under a lock each time. There are few: routes are counted, not addresses.
@cache
def _counter(method: str, route: str, status: int) -> Counter:
    return _REQUESTS.labels(method, route, status)


@cache
def _timer(method: str, route: str) -> Histogram:
    return _SECONDS.labels(method, route)


class RequestContext:
    """Gives each request an id, and each response that id and the safe headers; answers faults of ours."""

    def __init__(self, app: ASGIApp, on_fault: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = _complete(message["headers"], scope["path"], request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            raise
        except Exception as error:
            if started:  # The answer is under way: all that is left is to break it off.
                raise
            await self._on_fault(Request(scope), error)(scope, receive, send_with_headers)


def _request_id(headers: Headers) -> str:
    for name, value in headers:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if _REQUEST_ID.fullmatch(given) else new_id("req")
    return new_id("req")


def _complete(headers: Headers, path: str, request_id: str) -> list[tuple[bytes, bytes]]:
    complete = [*headers, *_SAFE_HEADERS, (b"x-request-id", request_id.encode())]
    # What a person sees is theirs: no shared cache keeps it. Our static files say for themselves how long they last.
    if not path.startswith("/static/") and all(name != b"cache-control" for name, _ in headers):
        complete.append(_NO_STORE)
    return complete


class BodyLimit:
    """Reads the whole body, keeps its SHA-256 in `state.body_sha256`; 413 above the limit, 408 when it never ends."""

    def __init__(self, app: ASGIApp, timeout_s: float, max_bytes: int = BODY_MAX_BYTES) -> None:
        self._app = app
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await self._read(receive)
        except TimeoutError:
            sentence = f"the body did not come within {self._timeout_s:g} s"
            await _send_refusal(scope, send, HTTPStatus.REQUEST_TIMEOUT, "body-too-slow", sentence)
            return
        if body is None:
            sentence = f"the body is larger than {self._max_bytes} bytes"
            await _send_refusal(scope, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", sentence)
            return
        scope.setdefault("state", {})["body_sha256"] = hashlib.sha256(body).hexdigest()
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                return None
            more = message.get("more_body", False)
        return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


async def _send_refusal(scope: Scope, send: Send, status: HTTPStatus, kind: str, sentence: str) -> None:
    """A problem, told without reading on: the connection ends with it."""
    problem: dict[str, Any] = {
        "type": f"urn:millpond:problem:{kind}",
        "title": "Content Too Large" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else status.phrase,
        "status": status.value,
        "detail": sentence,
        "instance": scope["path"],
        "request_id": scope["state"]["request_id"],
    }
    body = json.dumps(problem).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Heads:
    """Answers HEAD like GET, without the body: FastAPI's routes know only the methods they name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)
