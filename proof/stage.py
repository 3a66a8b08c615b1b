"""Where a fault happens: servers, the platform's processes, a fleet, and those who watch."""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from devices.registry import register_device
from devices.seed import seed_shipped
from millpond.embedded import free_port
from millpond.kernel.clock import SystemClock, monotonic
from millpond.kernel.db import connect
from millpond.kernel.errors import Unavailable
from millpond.kernel.migrate import migrate
from proof.broker import Broker
from proof.crowd import Crowd
from proof.halfyear import fill_half_year
from proof.hostile import PREFIX as HOSTILE_PREFIX
from proof.hostile import SERIALS as HOSTILE
from proof.journal import read_journal
from proof.oracle import Account, compare, compare_poison, read_quarantine, read_rows, read_tally
from proof.postgres import Postgres
from proof.proxy import Proxy
from proof.service import Service
from proof.wait import Patience, pause
from proof.watch import Watch

MODEL = "generic-purifier-hours"
_TEMPLATE = "template_millpond"
_SECRET = "the proof signs nothing that anybody keeps"
_DRAIN_S = 60.0
# The proof alone keeps two cores at a load of about 3.
_BUSY_LOAD_A_CPU = 2.0
_BUSY = "the machine was busy: time limits doubled"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. `rate` is samples a second of all devices together."""

    devices: int = 200
    rate: float = 1000.0
    long: bool = False
    forgive_time: bool = False
    half_year: bool = False

    def times(self, short: int, long: int) -> int:
        """A number of repeats, or of seconds, by the form that runs."""
        return long if self.long else short


@dataclass(slots=True)
class Outcome:
    """What a fault did. `recovery_s`, `red_s` and `green_s` are the slowest of the run; `complaints` make it fail,
    `slow` says what took longer than it may, `skipped` why it could not be done here."""

    repeats: int = 0
    rate: float = 0.0
    account: Account = field(default_factory=Account)
    unacked: int = 0
    recovery_s: float | None = None
    red_s: float | None = None
    green_s: float | None = None
    rss_mb: float = 0.0
    skipped: str = ""
    notes: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    def recovered(self, seconds: float, most: float) -> None:
        """Note how long a recovery took, and complain when it took longer than it may."""
        self.recovery_s = max(self.recovery_s or 0.0, seconds)
        most = self._allow(most)
        if seconds > most:
            self.slow.append(f"the rate was back after {seconds:.1f} s, {most:g} s are allowed")

    def turned(self, colour: str, seconds: float, most: float = 5.0) -> None:
        """Note how long /readyz took to turn `red` or `green`, and complain when it took longer than it may."""
        name = f"{colour}_s"
        setattr(self, name, max(getattr(self, name) or 0.0, seconds))
        most = self._allow(most)
        if seconds > most:
            self.slow.append(f"/readyz turned {colour} after {seconds:.1f} s, {most:g} s are allowed")

    def _allow(self, seconds: float) -> float:
        """The limit, or twice as long on a machine that is busy with something else; then a note says so."""
        if os.getloadavg()[0] <= _BUSY_LOAD_A_CPU * (os.cpu_count() or 1):
            return seconds
        if _BUSY not in self.notes:
            self.notes.append(_BUSY)
        return 2 * seconds


class World:
    """What all faults share: one PostgreSQL with a migrated template, and a folder that goes at the end."""

    def __init__(self, folder: Path, *, keep: bool = False, programs: Path | None = None) -> None:
        self.folder, self.keep, self.programs = folder, keep, programs
        self.interrupted = threading.Event()
        self.postgres = Postgres(folder, programs)
        self.postgres.start()
        self.make_template(self.postgres)

    def make_template(self, postgres: Postgres) -> None:
        """Migrate and seed the database that others are copied from."""
        with psycopg.connect(postgres.dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
        with connect(make_conninfo(postgres.dsn, dbname=_TEMPLATE)) as conn:
            at = SystemClock().now()
            migrate(conn, at=at)
            seed_shipped(conn, at=at)
        with psycopg.connect(postgres.dsn, autocommit=True) as admin:
            # TimescaleDB's workers would hold a session and so forbid copying.
            admin.execute(sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(_TEMPLATE)))
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [_TEMPLATE])

    def new_database(self, postgres: Postgres, name: str) -> str:
        """DSN of a fresh copy of the template."""
        with psycopg.connect(postgres.dsn, autocommit=True) as admin:
            admin.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE))
            )
        return make_conninfo(postgres.dsn, dbname=name)


@contextmanager
def world(keep: Path | None = None, programs: Path | None = None) -> Iterator[World]:
    """A world in a temporary folder, or in `keep`, which must be new or empty and stays.

    `programs` is the folder of PostgreSQL's, without it the wheel's are taken.
    """
    folder = keep.resolve() if keep else Path(tempfile.mkdtemp(prefix="millpond-proof-"))
    folder.mkdir(parents=True, exist_ok=True)
    made: World | None = None
    try:
        made = World(folder, keep=keep is not None, programs=programs)
        yield made
    finally:
        if made is not None:
            made.postgres.stop("immediate")
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


class Stage:
    """One fault's own database, broker, ingest, API and fleet. Use `staged`."""

    def __init__(
        self,
        world: World,
        name: str,
        size: Size,
        seed: int,
        stack: ExitStack,
        *,
        postgres: Postgres | None = None,
        proxied: str = "",
        persistence: bool = True,
        max_queued: int = 0,
        settings: dict[str, str] | None = None,
        **fleet: float,
    ) -> None:
        self.world, self.name, self.size, self.seed = world, name, size, seed
        self.outcome = Outcome()
        self.folder = world.folder / name
        self.folder.mkdir()
        self.postgres = postgres or world.postgres
        self.postgres.start()
        self.dsn = world.new_database(self.postgres, f"proof_{name.replace('-', '_')}")
        self.prefix = f"{name.upper()}-"
        self._register()
        self.broker = Broker(self.folder / "broker", persistence=persistence, max_queued=max_queued)
        self.broker.start()
        stack.callback(self.broker.stop)
        self.proxy = self._proxy(proxied, stack)
        self.began_at = SystemClock().now()
        self.settings = self._settings(proxied) | (settings or {})
        self.http_port = int(self.settings["MILLPOND_HTTP_PORT"])
        self.ingest = Service("ingest", self.settings, self.folder / "ingest.log")
        self.serve = Service("serve", self.settings | {"MILLPOND_DATABASE_URL": self.dsn}, self.folder / "serve.log")
        for service in (self.ingest, self.serve):
            stack.callback(service.stop)
            service.start()
        self.watch = stack.enter_context(Watch(self.dsn, self.consumer, self.http_port, self.ingest.rss_mb))
        try:
            Patience(30, "the platform to be ready").until(self._is_ready)
        except Unavailable as error:
            raise Unavailable(f"{error}; /readyz says {self.watch.said}") from error
        url = f"mqtt://127.0.0.1:{self.proxy.port}" if self.proxy and proxied == "devices" else self.broker.url
        options = {"devices": size.devices, "rate": size.rate} | fleet
        self.fleet = Crowd(url, self.folder / "journal", self.prefix, seed, **options)
        stack.callback(self.fleet.end)
        self.outcome.rate = self._measure_rate()

    @property
    def consumer(self) -> str:
        """The ingest's name at the broker and in the tallies."""
        return f"proof-{self.name}"

    def until_recovered(self, since: float, most: float = 10.0, patience_s: float = 60.0) -> float:
        """Wait until ingest stores at 90 % of the rate again, counted from `since`; note how long it took."""
        seconds = self.watch.until_rate(0.9 * self.outcome.rate, patience_s, since)
        self.outcome.recovered(seconds, most)
        return seconds

    def settle(self, *, server_offsets_ms: tuple[int, ...] = ()) -> None:
        """Let the fleet drain, and hold the database against its journal."""
        self.outcome.unacked = self.fleet.drain(_DRAIN_S)
        self.fleet.end()
        samples, poison = read_journal(self.fleet.journal)
        if poison:
            self._await_quarantine(len(poison))
        self.ingest.stop()
        self.outcome.rss_mb = self.watch.seen.rss_mb
        with psycopg.connect(self.dsn) as conn:
            rows = read_rows(conn, self.prefix)
            of_hostile = len(read_rows(conn, HOSTILE_PREFIX))
            kept, missing = read_tally(conn, self.consumer)
            quarantined = read_quarantine(conn, datetime(2000, 1, 1, tzinfo=UTC), HOSTILE_PREFIX)
        account = compare(samples, rows, server_offsets_ms=server_offsets_ms) + compare_poison(poison, quarantined)
        self.outcome.account = account + Account(miscounted=abs(kept - len(rows) - of_hostile) + abs(missing))

    def _is_ready(self) -> bool:
        """Whether /readyz is green; Unavailable with the last words of a service that has ended."""
        for service in (self.ingest, self.serve):
            if not service.alive:
                raise Unavailable(f"a service ended at once: {service.log_text().strip()[-300:]}")
        return self.watch.ready is True

    def _await_quarantine(self, messages: int) -> None:
        def all_there() -> bool:
            with psycopg.connect(self.dsn) as conn:
                row = conn.execute("select count(*) from quarantined_message").fetchone()
            return row is not None and int(row[0]) >= messages

        end = monotonic() + 15
        while not all_there() and monotonic() < end:
            pause(0.2)

    def _measure_rate(self) -> float:
        """What the fleet really sends and ingest really stores on this machine, before anything goes wrong."""
        self.watch.until_rate(0.5 * self.size.rate, 30)
        self.watch.until_rate(0.5 * self.size.rate, 30)
        return min(self.watch.rate(), self.size.rate)

    def _register(self) -> None:
        at = SystemClock().now() - timedelta(days=1)
        with connect(self.dsn) as conn, conn.transaction():
            for serial in (*(f"{self.prefix}{number:04d}" for number in range(self.size.devices)), *HOSTILE):
                register_device(conn, serial=serial, model=MODEL, installed_at=at, at=at)
        if self.size.half_year:
            with connect(self.dsn) as conn:
                fill_half_year(conn, self.prefix, at)

    def _proxy(self, proxied: str, stack: ExitStack) -> Proxy | None:
        if not proxied:
            return None
        proxy = Proxy(self.postgres.port if proxied == "database" else self.broker.port)
        stack.callback(proxy.close)
        return proxy

    def _settings(self, proxied: str) -> dict[str, str]:
        dsn, port = self.dsn, self.broker.port
        if self.proxy and proxied == "database":
            dsn = make_conninfo(dsn, port=self.proxy.port)
        if self.proxy and proxied == "broker":
            port = self.proxy.port
        return {
            "MILLPOND_DATABASE_URL": dsn,
            "MILLPOND_BROKER_URL": f"mqtt://{self.broker.ingest_login}@127.0.0.1:{port}",
            "MILLPOND_JWT_SECRET": _SECRET,
            "MILLPOND_CONSUMER_ID": self.consumer,
            "MILLPOND_HTTP_PORT": str(free_port()),
            # Small on purpose: an outage fills it, and the bound is what is on trial.
            "MILLPOND_IN_FLIGHT_MAX_MESSAGES": "5000",
        }


@contextmanager
def staged(world: World, name: str, size: Size, seed: int, **options: object) -> Iterator[Stage]:
    """A stage with everything running and its rate measured. Everything it started is ended at the end."""
    with ExitStack() as stack:
        stage = Stage(world, name, size, seed, stack, **options)  # type: ignore[arg-type]
        yield stage
    with suppress(psycopg.Error, Unavailable):
        _drop(stage)


def _drop(stage: Stage) -> None:
    if stage.postgres is stage.world.postgres and not stage.world.keep:
        name = f"proof_{stage.name.replace('-', '_')}"
        with psycopg.connect(stage.postgres.dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
