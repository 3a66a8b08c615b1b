"""Answering what the other end of the pipe asks, as `millpond.testing.protocol` has it."""

import logging
from collections.abc import Callable
from typing import Any

import psycopg

from millpond.kernel.errors import InvalidInput, MillpondError
from millpond.testing.protocol import FleetRequests, PeopleRequests, PlatformRequests, request_names
from millpond.testing_host.control import Control

_LOG = logging.getLogger(__name__)

Answerers = dict[str, Callable[..., Any]]


def list_answerers(platform: PlatformRequests, people: PeopleRequests, fleet: FleetRequests) -> Answerers:
    """Who answers each request, by its name."""
    parts = ((PlatformRequests, platform), (PeopleRequests, people), (FleetRequests, fleet))
    return {name: getattr(part, name) for requests, part in parts for name in request_names(requests)}


def serve_requests(control: Control, answerers: Answerers) -> None:
    """Answer each request with `ok`, or with `error` and one sentence, until nobody asks any more."""
    for request in control.requests():
        number, name = request.pop("id"), request.pop("do")
        try:
            control.answer({"id": number, "ok": _ask(answerers, name, request)})
        except (MillpondError, psycopg.Error) as error:
            control.answer({"id": number, "error": " ".join(str(error).split())})
        except Exception as error:
            _LOG.exception("a request failed", extra={"event": "request_failed", "request": name})
            control.answer({"id": number, "error": f"{name}: {type(error).__name__}: {error}"})


def _ask(answerers: Answerers, name: str, arguments: dict[str, Any]) -> Any:
    if name not in answerers:
        raise InvalidInput(f"request {str(name)[:40]!r} is not known: choose from {', '.join(answerers)}")
    return answerers[name](**arguments)
