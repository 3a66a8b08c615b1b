"""The one table from error class to RFC 9457 problem. Whatever goes wrong ends here, as one sentence."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException
from starlette.routing import Match

from millpond.kernel.errors import (
    Conflict,
    InvalidInput,
    MillpondError,
    NotFound,
    TooManyTries,
    Unauthenticated,
    Unavailable,
)

_LOG = logging.getLogger(__name__)
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_MEDIA_TYPE = "application/problem+json"


class KeyMissing(InvalidInput):
    """A write came without an Idempotency-Key, so a retry could not be told from a second order."""


class KeyReused(InvalidInput):
    """An Idempotency-Key came back with another request than the first time."""


class ForeignOrigin(MillpondError):
    """A page of another site tried to act in a signed-in person's name."""


class TooLarge(InvalidInput):
    """A body is larger than its call takes."""


_STATUS: dict[type[BaseException], tuple[HTTPStatus, str]] = {
    KeyMissing: (HTTPStatus.BAD_REQUEST, "idempotency-key-missing"),
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused"),
    TooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large"),
    ForeignOrigin: (HTTPStatus.FORBIDDEN, "foreign-origin"),
    InvalidInput: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input"),
    Unauthenticated: (HTTPStatus.UNAUTHORIZED, "unauthenticated"),
    NotFound: (HTTPStatus.NOT_FOUND, "not-found"),
    Conflict: (HTTPStatus.CONFLICT, "conflict"),
    TooManyTries: (HTTPStatus.TOO_MANY_REQUESTS, "too-many-tries"),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="millpond"'},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "2"},
}
_AWAY = "the database does not answer at the moment: try again in a few seconds"
_INTERNAL = "something went wrong on our side; it was written down under this request's id"

_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "instance", "request_id")},
        "status": {"type": "integer"},
    },
}
_PROBLEM = {
    "description": "A problem (RFC 9457): `detail` is one sentence.",
    "content": {_MEDIA_TYPE: {"schema": _SCHEMA}},
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": _PROBLEM, "503": _PROBLEM}
"""What every call of the API may also answer, for its OpenAPI document."""


def install_problems(app: FastAPI) -> None:
    """Let every error of `app` become a problem (or, for a person in a browser, a page that says the same)."""
    app.add_exception_handler(MillpondError, _domain_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    for away in (psycopg.OperationalError, PoolTimeout, TooManyRequests):
        app.add_exception_handler(away, _away_problem)
    for unstorable in (psycopg.DataError, UnicodeEncodeError):
        app.add_exception_handler(unstorable, _unstorable_problem)


def problem_response(request: Request, status: HTTPStatus, kind: str, detail: str, **more: Any) -> Response:
    """A problem of `status`; `kind` ends its type URN, `detail` is the sentence, `more` are extension members."""
    headers = dict(_HEADERS.get(status, {}))
    if wants_page(request):
        page: Response = request.app.state.render_problem(request, status, detail)
        page.headers.update(headers)
        return page
    body = {
        "type": f"urn:millpond:problem:{kind}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.url.path,
        "request_id": request.scope.get("state", {}).get("request_id"),
    }
    if getattr(request.state, "sdk_asks", False):  # What SDKs of the tracking API look for, and stumble without.
        body |= {"code": kind, "message": detail}
    return JSONResponse(body | more, status.value, headers, media_type=_MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """Whether a person is looking: a browser asks for HTML, and never below /v1."""
    html = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return html and not request.url.path.startswith("/v1/")


def _domain_problem(request: Request, error: Exception) -> Response:
    for cls in type(error).__mro__:
        if cls in _STATUS:
            status, kind = _STATUS[cls]
            response = problem_response(request, status, kind, str(error))
            if isinstance(error, TooManyTries):
                response.headers["Retry-After"] = str(ceil(error.retry_after_s))
            return response
    return answer_fault(request, error)


def _validation_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"where": _where(e["loc"]), "what": _what(e)} for e in error.errors()]
    first = errors[0]
    detail = f"{first['where']}: {first['what']}"
    return problem_response(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", detail, errors=errors)


def _where(loc: Sequence[Any]) -> str:
    """For example `body lines 0 quantity`; what the caller wrote is cut, it may be long."""
    return " ".join(str(part)[:60] for part in loc)


def _what(error: Any) -> str:
    if error["type"] == "json_invalid":
        return "this is not JSON"
    if error["type"] == "extra_forbidden":
        return "this call has no such field"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:300]


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = _HTTP_DETAIL.get(status, str(error.detail))
    response = problem_response(request, status, status.phrase.lower().replace(" ", "-"), detail)
    response.headers.update(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = ", ".join(_allowed_methods(request))
    return response


def _allowed_methods(request: Request) -> list[str]:
    """All methods of an address: Starlette itself names only those of the first route that has it."""
    asked = [(method, {**request.scope, "method": method}) for method in _METHODS]
    methods = {m for m, scope in asked for each in request.app.routes if each.matches(scope)[0] is Match.FULL}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


_HTTP_DETAIL = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take this method",
}


def _away_problem(request: Request, _error: Exception) -> Response:
    _LOG.warning("the database did not answer a request", extra={"event": "database_away", "path": request.url.path})
    return problem_response(request, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", _AWAY)


def _unstorable_problem(request: Request, _error: Exception) -> Response:
    """Text with a NUL or half a character, or a number out of every range: the caller's to mend."""
    detail = "the request holds a value that cannot be stored, such as a NUL character or a number out of range"
    return problem_response(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input", detail)


def answer_fault(request: Request, error: Exception) -> Response:
    """Answer a fault of ours: the log has all of it, the caller is told nothing of its inside."""
    event = {"event": "request_failed", "path": request.url.path, "request_id": request.scope["state"]["request_id"]}
    _LOG.error("a request failed", extra=event, exc_info=error)
    return problem_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", _INTERNAL)
