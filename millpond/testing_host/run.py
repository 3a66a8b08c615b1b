"""Putting the platform under test together, and answering what is asked of it until its owner is gone."""

import importlib
import logging
import secrets
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from millpond.kernel.clock import StillClock
from millpond.kernel.errors import MillpondError
from millpond.kernel.log import configure_logging
from millpond.services import until_signalled
from millpond.testing_host.control import Control
from millpond.testing_host.servers import HostedBroker, own_database

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the command line says; without `dsn` and `broker_url` the servers are embedded."""

    dsn: str | None
    broker_url: str | None
    start: datetime
    schedule: bool


def run_testing_host(options: HostOptions) -> None:
    """Run the platform: say on stdout when it is ready, then answer requests until stdin closes or a signal comes."""
    configure_logging("WARNING")
    ahead = threading.Thread(target=_import_all)
    ahead.start()
    with ExitStack() as stack:
        # Also when a server does not answer: an import amid the interpreter's end would speak up instead of us.
        stack.callback(ahead.join)
        stop = stack.enter_context(until_signalled())
        control = Control(stop)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millpond-test-")))
        dsn = stack.enter_context(own_database(options.dsn, folder))
        broker = stack.enter_context(HostedBroker(options.broker_url, folder))
        ahead.join()
        from millpond.testing_host.house import House

        house = stack.enter_context(
            House(dsn, broker, StillClock(options.start), secrets.token_urlsafe(48), stop, schedule=options.schedule)
        )
        control.answer(house.describe())
        serve_requests(control, house.requests)


def _import_all() -> None:
    """PostgreSQL's first start takes two seconds, which are enough to import all the rest."""
    for name in ("millpond.testing_host.house", "api.app", "uvicorn"):
        importlib.import_module(name)


def serve_requests(control: Control, known: dict[str, Callable[..., Any]]) -> None:
    """Answer each request with `ok`, or with `error` and one sentence."""
    for request in control.requests():
        number, name = request.pop("id"), request.pop("do")
        try:
            control.answer({"id": number, "ok": known[name](**request)})
        except (MillpondError, psycopg.Error) as error:
            control.answer({"id": number, "error": " ".join(str(error).split())})
        except Exception as error:
            _LOG.exception("a request failed", extra={"event": "request_failed", "request": name})
            control.answer({"id": number, "error": f"{name}: {type(error).__name__}: {error}"})
