"""Putting the platform under test together, and answering what is asked of it until its owner is gone."""

import importlib
import logging
import secrets
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from millpond.kernel.clock import StillClock
from millpond.kernel.log import configure_logging
from millpond.services import until_signalled
from millpond.testing_host.control import Control
from millpond.testing_host.requests import list_answerers, serve_requests
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
        from millpond.testing_host.platform import HostedPlatform

        clock, secret = StillClock(options.start), secrets.token_urlsafe(48)
        platform = stack.enter_context(HostedPlatform(dsn, broker, clock, secret, stop, schedule=options.schedule))
        control.answer(platform.describe())
        serve_requests(control, list_answerers(platform, platform.people, platform.fleet))


def _import_all() -> None:
    """PostgreSQL's first start takes two seconds, which are enough to import all the rest."""
    for name in ("millpond.testing_host.platform", "api.app", "uvicorn"):
        importlib.import_module(name)
