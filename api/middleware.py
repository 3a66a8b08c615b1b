"""What happens to every request: an id, a size limit, safe headers, and a count by route."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from millpond.kernel.clock import monotonic
from millpond.kernel.ids import new_id

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


class Marks:
    """Gives each request an id, each response its safe headers, counts both by route, and answers faults of ours."""

    def __init__(self, app: ASGIApp, on_fault: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = monotonic(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_marks(scope, message["headers"], request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            status = _GONE  # Half a request is no wish, and nobody is there to be told.
        except Exception as error:
            if status:  # The answer is under way: all that is left is to break it off.
                raise
            await self._on_fault(Request(scope), error)(scope, receive, send_marked)
        finally:
            _count(scope, status or 500, monotonic() - started)


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else new_id("req")


def _marks(scope: Scope, present: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    marks = [*_SAFE_HEADERS, (b"x-request-id", request_id.encode())]
    # What a person sees is theirs: no shared cache keeps it. Our static files say for themselves how long they last.
    if not scope["path"].startswith("/static/") and b"cache-control" not in dict(present):
        marks.append((b"cache-control", b"no-store"))
    return marks


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    _REQUESTS.labels(method, route, status).inc()
    _SECONDS.labels(method, route).observe(seconds)


class BodyLimit:
    """Reads the whole body, answers 413 above the limit, and keeps its SHA-256 in `state.body_sha256`."""

    def __init__(self, app: ASGIApp, max_bytes: int = BODY_MAX_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            await _send_too_large(scope, send, self._max_bytes)
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


async def _send_too_large(scope: Scope, send: Send, max_bytes: int) -> None:
    problem: dict[str, Any] = {
        "type": "urn:millpond:problem:body-too-large",
        "title": "Content Too Large",
        "status": 413,
        "detail": f"the body is larger than {max_bytes} bytes",
        "instance": scope["path"],
        "request_id": scope["state"]["request_id"],
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
