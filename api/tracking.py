"""Segment's HTTP tracking API: events in, from the clients that people already have.

A source proves itself with its write key. Nothing is answered about a person, and nothing before it is committed.
"""

import zlib
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.datastructures import MutableHeaders
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge import get_at, get_edge
from api.gpc import objects_by_signal
from api.problems import ForeignOrigin, TooLarge
from api.threads import run_in_thread
from events.nouns import Call, Calls, Refused, Source, SourceKind
from events.sources import select_source_by_key
from events.wire import BATCH_MAX_BYTES, decode_batch, decode_call, decode_write_key
from millpond.kernel.errors import InvalidInput, Unauthenticated
from offers.taking.take import take_events

_SHORT = {"t": Call.TRACK, "i": Call.IDENTIFY, "p": Call.PAGE, "s": Call.SCREEN, "g": Call.GROUP, "a": Call.ALIAS}
_CALLS: dict[str, Call | None] = {
    **{str(call): call for call in Call},
    **_SHORT,
    "batch": None,
    "b": None,
    "import": None,
}
_TOLD_MAX = 100
_ALL_TAKEN = b'{"success":true}'
_FROM_PAGES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type, content-encoding, anonymousid, x-retry-count",
    "Access-Control-Max-Age": "86400",
}


class _Address(StringConvertor):
    """The last part of the address of a call, in any of the spellings that SDKs use."""

    regex = f"(?:{'|'.join(_CALLS)})/?"


def install_tracking(app: FastAPI) -> None:
    """Add the calls to the application itself, as one route: a router and parameters would cost as much as a query."""
    register_url_convertor("tracked", _Address())
    route = Route("/v1/{call:tracked}", _take, methods=["POST", "OPTIONS"], include_in_schema=False)
    route.app = _ForPages(route.app)
    app.router.routes.append(route)


class _ForPages:
    """Lets a page of any site read the answer, also a refusal: it says nothing about anybody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_to_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_FROM_PAGES)
            await send(message)

        await self._app(scope, receive, send_to_page)


async def _take(request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204)
    request.state.sdk_asks = True
    return await run_in_thread(_take_body, request, await request.body())


def _take_body(request: Request, sent: bytes) -> Response:
    edge, at, body = get_edge(request), get_at(request), _unpack(sent, request.headers.get("content-encoding", ""))
    write_key = _write_key(request.headers.get("authorization", "")) or decode_write_key(body)
    with edge.writes.connection() as conn, conn.transaction():
        source = select_source_by_key(conn, write_key, at=at) if write_key else None
        if source is None:
            raise Unauthenticated("this call needs a write key that is in force, as the user of basic auth")
        _require_page(source, request.headers.get("origin"))
        calls = _decode(request, body, at)
        edge.rates.spend(source.source_id, len(calls.heard) + len(calls.refused))
        taken = take_events(conn, source, calls, edge.event_terms, at=at, ceilings=edge.ceilings)
    return _answer(taken.refused)


def _decode(request: Request, body: bytes, at: datetime) -> Calls:
    call = _CALLS[request.path_params["call"].removesuffix("/")]
    gpc = objects_by_signal(request)
    if call is None:
        return decode_batch(body, received_at=at, gpc=gpc)
    return decode_call(body, call, received_at=at, gpc=gpc)


def _answer(refused: tuple[Refused, ...]) -> Response:
    if not refused:
        return Response(_ALL_TAKEN, media_type="application/json")
    told = [{"reason": each.reason, "detail": each.detail} for each in refused[:_TOLD_MAX]]
    return JSONResponse({"success": True, "refused": told, "refused_in_all": len(refused)})


def _unpack(sent: bytes, encoding: str) -> bytes:
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            sent = unpacking.decompress(sent, BATCH_MAX_BYTES + 1)
        except zlib.error as error:
            raise InvalidInput(f"the body is not packed as {encoding[:20]}, which its Content-Encoding says") from error
    if len(sent) > BATCH_MAX_BYTES:
        raise TooLarge(f"a body has at most {BATCH_MAX_BYTES} bytes, unpacked: send less at a time")
    return sent


def _write_key(authorization: str) -> str | None:
    """The user of basic auth. Some clients leave the colon out that stands before the empty password."""
    scheme, _, said = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(said.strip()).decode().partition(":")[0] or None
    except (NotBase64, UnicodeDecodeError):
        return None


def _require_page(source: Source, origin: str | None) -> None:
    """Whether a page may send for the source; what is no page says no origin."""
    if origin is None:
        return
    if source.kind not in (SourceKind.WEB, SourceKind.APP):
        raise ForeignOrigin("a page sends for a source of kind web: this one's key is no page's to have")
    if source.origins and origin not in source.origins:
        raise ForeignOrigin("this source does not take events from pages of that origin")
