"""The running platform of a test: ingest, API, people, devices and jobs around one clock that stands still."""

import threading
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast, get_args

from api.auth import Role
from forecasting.job import run_forecasts
from forecasting.part import Forecaster
from ingest.broker.session import Session
from ingest.service import run_ingest
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import StillClock, monotonic, require_aware
from millpond.kernel.db import connect
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import new_id
from millpond.kernel.settings import load_settings
from millpond.kernel.waiting import wait_until
from millpond.services import in_thread, prepare_database, scheduling, serving
from millpond.testing.protocol import Now, OutcomesRow, QuarantinedRow, ReadingRow, Ready, Refusals
from millpond.testing_host.commits import Commits, forget_session
from millpond.testing_host.fleet import HostedFleet
from millpond.testing_host.people import People
from millpond.testing_host.readback import select_committed, select_outcomes, select_quarantined, select_refusals
from millpond.testing_host.servers import HostedBroker
from offers.job import issue_due_offers
from offers.nouns import Rules

_CONNECT_S = 30.0
_IDLE_S = 0.05


class HostedPlatform:
    """Everything that runs, open inside `with`; it answers PlatformRequests itself, `people` and `fleet` the others."""

    def __init__(
        self, dsn: str, broker: HostedBroker, clock: StillClock, secret: str, stop: threading.Event, *, schedule: bool
    ) -> None:
        self._dsn, self._broker, self._clock, self._stop, self._schedule = dsn, broker, clock, stop, schedule
        self._settings = load_settings(
            database_url=dsn,
            broker_url=broker.url,
            jwt_secret=secret,
            http_host="127.0.0.1",
            http_port=0,
            consumer_id=new_id("millpond-test"),
            batch_max_wait_ms=5,
            metrics_port=0,
            clock="system",
        )
        self._wake = threading.Event()
        self._address = parse_broker_url(broker.url)
        self._commits = Commits(self._wake)
        self._session = Session(self._address, self._settings.consumer_id, clock, self._settings.in_flight_max_messages)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            prepare_database(self._settings, self._clock)
            self._conn = stack.enter_context(connect(self._dsn, application="millpond-testing-host"))
            if self._broker.given:
                stack.callback(forget_session, self._address, self._settings.consumer_id)
            stack.enter_context(in_thread("ingest", self._ingest))
            self._http = stack.enter_context(serving(self._settings, self._clock))
            self.people = People(self._conn, self._clock, self._settings)
            self.fleet = HostedFleet(self._conn, self._clock, self._broker.url, self._wake, self._stop)
            stack.callback(self.fleet.close)
            if self._schedule:
                stack.enter_context(scheduling(self._settings, self._clock))
            self._wait_for_ingest()
            self._wait_for_api()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def describe(self) -> Ready:
        """Where everything is: the line that says that the platform is ready."""
        return {
            "ready": True,
            "address": self._http,
            "broker_url": self._broker.url,
            "dsn": self._dsn,
            "operator_token": self.people.mint(Role.OPERATOR, "test"),
            "now": self.now(),
        }

    def now(self) -> str:
        """What time it is."""
        return self._clock.now().isoformat()

    def advance(self, to: str) -> Now:
        """Let time pass."""
        self.fleet.advance(_parse(to))
        return {"now": self.now()}

    def commits(self) -> int:
        """How many commits ingest has made."""
        return self._commits.count

    def wait_commit(self, after: int, timeout_s: float) -> int:
        """The count of commits, once it is above `after` or the time is over."""
        deadline = monotonic() + timeout_s
        while self._commits.count <= after and monotonic() < deadline and not self._stop.is_set():
            self.fleet.pump()
            self._wake.wait(_IDLE_S)
            self._wake.clear()
        return self._commits.count

    def committed(self, serial: str) -> list[ReadingRow]:
        """A device's stored readings."""
        return select_committed(self._conn, serial)

    def quarantined(self, serial: str) -> list[QuarantinedRow]:
        """What was refused of a device."""
        return select_quarantined(self._conn, serial)

    def refusals(self, after: int) -> Refusals:
        """What was refused of all devices after the item with that id."""
        return select_refusals(self._conn, after)

    def outcomes(self) -> OutcomesRow:
        """What became of everything that came in."""
        return select_outcomes(self._conn)

    def run_forecasts(self, at: str | None, forecaster: str) -> dict[str, Any]:
        """One run of the forecast job; its summary."""
        if forecaster not in get_args(Forecaster):
            raise InvalidInput(f"forecaster {forecaster!r} is none of {', '.join(get_args(Forecaster))}")
        moment, how = self._moment(at), cast(Forecaster, forecaster)
        return asdict(run_forecasts(self._conn, moment, made_at=self._clock.now(), forecaster=how))

    def issue_offers(self, at: str | None) -> dict[str, Any]:
        """One run of the offers job; its summary."""
        return asdict(issue_due_offers(self._conn, self._moment(at), Rules.from_settings(self._settings)))

    def stop_broker(self) -> None:
        """Take the broker away."""
        self._broker.stop()
        self.fleet.broker_up = False

    def start_broker(self) -> None:
        """Give it back; ingest listens again on return."""
        self._broker.start()
        self.fleet.broker_up = True
        self._wait_for_ingest()

    def _ingest(self, stop: threading.Event) -> None:
        run_ingest(self._settings, self._session, self._clock, stop, on_commit=self._commits.note)

    def _wait_for_ingest(self) -> None:
        """A message that is published before ingest has subscribed would be nobody's."""
        what = "ingest to subscribe at the broker"
        wait_until(lambda: self._session.subscribed or self._stop.is_set(), what, timeout_s=_CONNECT_S, every_s=0.005)

    def _wait_for_api(self) -> None:
        """The port is ours from the beginning, but nobody answers there before the server's thread does."""
        url = f"{self._http}/readyz"
        wait_until(lambda: _is_green(url) or self._stop.is_set(), f"{url} to be green", timeout_s=_CONNECT_S)

    def _moment(self, at: str | None) -> datetime:
        return self._clock.now() if at is None else _parse(at)


def _is_green(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_S):
            return True
    except OSError:
        return False


def _parse(moment: str) -> datetime:
    try:
        return require_aware(datetime.fromisoformat(moment))
    except ValueError as error:
        raise InvalidInput(f"{moment!r} is not a moment: {error}") from error
