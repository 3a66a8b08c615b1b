"""The demo, stage by stage: servers, people, history through MQTT, forecasts, offers, credit; then live."""

import fcntl
import json
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from api.auth import Role, sign_token
from api.keys import build_staff_keys, build_token_keys
from attribution.statements.totals import ledger_balance
from forecasting.job import run_forecasts
from millpond.demo.clock import DemoClock
from millpond.demo.loop import (
    Summary,
    accept_first_offer,
    select_counts,
    select_customers_with_offers,
    select_newest_reading,
    sell_in_another_store,
)
from millpond.demo.people import People, credited_to, register_people
from millpond.demo.screen import Screen
from millpond.demo.shopping import WEEKS, has_shopped, shop_for_weeks
from millpond.embedded.broker import embedded_broker
from millpond.embedded.ports import free_port
from millpond.embedded.postgres import embedded_postgres
from millpond.kernel.clock import floor_to_period, monotonic
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import ConfigurationError, Unavailable
from millpond.kernel.log import configure_logging
from millpond.kernel.settings import Settings, load_settings
from millpond.services import in_thread, ingesting, prepare_database, require_port, scheduling, serving, until_signalled
from millpond.testing.client import ApiError, Client
from offers.job import issue_due_offers
from offers.nouns import Rules
from simulators.runs.connected import ConnectedFleet
from simulators.runs.fleet import Fleet, FleetPlan, build_fleet

_HISTORY_INTERVAL = timedelta(hours=3)
_LIVE_INTERVAL = timedelta(minutes=30)
_HOST = "127.0.0.1"
# Of the viewer's time: the platform's clock, on which tokens expire, runs faster.
_LOGIN_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says; `folder` None keeps nothing."""

    devices: int
    days: int
    seed: int
    port: int
    speed: float
    folder: Path | None
    once: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What a kept demo must remember to go on: its fleet, its history's beginning, its secret."""

    devices: int
    seed: int
    start: datetime
    secret: str


def run_demo(options: DemoOptions, *, as_json: bool = False) -> int:
    """Run the demo; 0 when every stage produced something (or the viewer ended it), else 1."""
    configure_logging("ERROR")
    screen = Screen(quiet=as_json)
    require_port(_HOST, options.port)
    with until_signalled() as stop, _folder(options) as folder:
        demo = _Demo(options, folder, screen, stop)
        summary = demo.close_the_loop_and_stay()
    if summary is None:
        screen.complain("stopped before the loop closed")
        return 1
    if as_json:
        screen.print_json(summary)
    if missing := summary.missing():
        screen.complain(f"these stages produced nothing: {', '.join(missing)}")
    return 1 if missing else 0


@contextmanager
def _folder(options: DemoOptions) -> Iterator[Path]:
    if options.folder is not None:
        with _hold(_make_folder(options.folder)) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="millpond-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _hold(folder: Path) -> Iterator[Path]:
    """The folder for this demo alone: two would write into one database, each on a clock of its own."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = f"another demo runs in --data {folder}: end it first, or name another folder"
            raise ConfigurationError(sentence) from None
        yield folder


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--data {folder} cannot be a folder: {error.strerror}") from error
    return folder.resolve()


class _Demo:
    """One run of the demo; what it opens is closed in reverse order, whatever happens."""

    def __init__(self, options: DemoOptions, folder: Path, screen: Screen, stop: threading.Event) -> None:
        self._options, self._folder, self._screen, self._stop = options, folder, screen, stop
        self._began = monotonic()
        self._port = options.port or free_port()
        self._clock = DemoClock()

    def close_the_loop_and_stay(self) -> Summary | None:
        """Every stage once, then live until the viewer ends it; None when it was ended before the loop closed."""
        with ExitStack() as stack:
            with self._screen.stage("Starting PostgreSQL and the broker"):
                dsn = stack.enter_context(embedded_postgres(self._folder / "postgres"))
                broker = stack.enter_context(embedded_broker(self._folder / "broker"))
            memory = self._remember()
            settings = self._settings(dsn, broker, memory)
            with self._screen.stage("Preparing the database"):
                prepare_database(settings, self._clock)
                conn = stack.enter_context(connect(dsn))
                fleet = self._fleet(conn, memory)
                people = register_people(conn, fleet.manifest, build_staff_keys(settings), since=memory.start)
            stack.enter_context(ingesting(settings, self._clock, on_end=self._stop.set))
            address = stack.enter_context(serving(settings, self._clock))
            self._screen.say(f"The pages are up at [bold]{address}[/bold] after {monotonic() - self._began:.0f} s")
            connected = stack.enter_context(
                ConnectedFleet(fleet, broker, stop=self._stop, on_progress=self._screen.fleet_moved)
            )
            self._replay(connected)
            if self._stop.is_set():
                return None
            mint = self._minter(settings)
            self._shop(conn, people, address, memory)
            self._forecast_and_offer(conn, settings)
            self._close_the_loop(conn, people, address, mint)
            published, seconds = connected.summary().messages_published, round(monotonic() - self._began, 1)
            summary = Summary(select_counts(conn), published, ledger_balance(conn), seconds)
            self._screen.show_summary(summary)
            if not self._options.once:
                self._stay(stack, connected, settings, conn, people, mint, fleet)
            return summary

    def _remember(self) -> Memory:
        """The memory of an earlier run in the same folder, or a new one."""
        file = self._folder / "demo.json"
        if file.exists():
            kept = json.loads(file.read_text())
            return Memory(kept["devices"], kept["seed"], datetime.fromisoformat(kept["start"]), kept["secret"])
        now = floor_to_period(self._clock.now(), timedelta(hours=1))
        start = now - timedelta(days=self._options.days)
        memory = Memory(self._options.devices, self._options.seed, start, secrets.token_urlsafe(48))
        file.touch(mode=0o600)
        file.write_text(
            json.dumps(
                {"devices": memory.devices, "seed": memory.seed, "start": start.isoformat(), "secret": memory.secret}
            )
        )
        return memory

    def _settings(self, dsn: str, broker: str, memory: Memory) -> Settings:
        return load_settings(
            database_url=dsn,
            broker_url=broker,
            jwt_secret=memory.secret,
            http_host=_HOST,
            http_port=self._port,
            public_url=f"http://{_HOST}:{self._port}",
            tick_s=1,
            metrics_port=0,  # Ingest and API are one process here, and one page shows both.
            # A minute of the viewer, not of the fast clock.
            screen_code_s=60 * self._options.speed,
        )

    def _fleet(self, conn: WriteConnection, memory: Memory) -> Fleet:
        """The fleet, switched on where an earlier run left it."""
        newest = select_newest_reading(conn)
        # A kept demo goes on a day later, so that there is something to tell.
        self._clock = DemoClock(not_before=newest + timedelta(days=1) if newest else None)
        return build_fleet(
            FleetPlan(
                devices=memory.devices,
                seed=memory.seed,
                start=memory.start,
                history_days=self._options.days,
                interval=_HISTORY_INTERVAL,
                reports_from=newest,
            )
        )

    def _replay(self, connected: ConnectedFleet) -> None:
        days = self._options.days
        with self._screen.fleet_stage(f"Sending {days} days of history through MQTT", self._options.devices):
            connected.replay(self._clock.now())

    def _shop(self, conn: WriteConnection, people: People, address: str, memory: Memory) -> None:
        with self._screen.stage(f"Living {WEEKS} weeks in app, web, shop and messenger"):
            if not has_shopped(conn):
                try:
                    shop_for_weeks(conn, address, people.customers, seed=memory.seed, at=self._clock.now())
                except OSError as error:
                    raise Unavailable(f"the demo's own tracking API answered {error}") from error

    def _forecast_and_offer(self, conn: WriteConnection, settings: Settings) -> None:
        at = self._clock.now()
        with self._screen.stage("Forecasting when each part runs out"):
            run_forecasts(conn, at, made_at=at)
        with self._screen.stage("Deciding offers"):
            issue_due_offers(conn, at, Rules.from_settings(settings))

    def _close_the_loop(
        self, conn: WriteConnection, people: People, address: str, mint: Callable[[Role, str], str]
    ) -> None:
        """A customer with offers accepts one, and buys in a shop that is not their staff member's.

        It is the last one of the staff member whose login is shown, so that there is something on the statement.
        """
        with self._screen.stage("A customer accepts an offer and buys in another shop"):
            if not (waiting := select_customers_with_offers(conn)):
                return
            members = {each: credited_to(conn, people, each, self._clock.now()) for each in waiting}
            shown, *others = waiting
            customer_id = next((each for each in reversed(others) if members[each] == members[shown]), waiting[-1])
            member = members[customer_id]
            customer = Client(address, mint(Role.CUSTOMER, customer_id))
            operator = Client(address, mint(Role.OPERATOR, "demo"))
            try:
                accept_first_offer(customer, customer_id)
                sell_in_another_store(conn, operator, customer_id, member)
            except ApiError as error:
                raise Unavailable(f"the demo's own API answered {error}") from error

    def _minter(self, settings: Settings) -> Callable[[Role, str], str]:
        keys, lifetime = build_token_keys(settings), _LOGIN_LIFE * self._options.speed
        return lambda role, subject: sign_token(keys, role, subject, self._clock.now(), lifetime)

    def _stay(
        self,
        stack: ExitStack,
        connected: ConnectedFleet,
        settings: Settings,
        conn: WriteConnection,
        people: People,
        mint: Callable[[Role, str], str],
        fleet: Fleet,
    ) -> None:
        """Live on an accelerated clock until the viewer ends it."""
        self._clock.accelerate(self._options.speed)
        fleet.set_interval(_LIVE_INTERVAL)
        stack.enter_context(scheduling(settings, self._clock, on_end=self._stop.set))
        stack.enter_context(in_thread("fleet", lambda _stop: connected.follow(self._clock), self._stop.set))
        waiting = select_customers_with_offers(conn) or [people.customers[0].customer_id]
        customer = next(c for c in people.customers if c.customer_id == waiting[0])
        member = credited_to(conn, people, customer.customer_id, self._clock.now())
        self._screen.show_logins(settings.public_url, customer, member, mint, self._options.speed)
        self._stop.wait()
        self._screen.say("Stopping")
