"""Where one fault happens: its database, broker, ingest, API and fleet, and what watches them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import psycopg
from psycopg.conninfo import make_conninfo

from devices.aliases import alias_device
from devices.registry import register_device
from devices.store import select_devices_by_serial
from millpond.embedded.broker import Broker, write_passwords
from millpond.embedded.databases import drop_database
from millpond.embedded.ports import free_port
from millpond.embedded.postgres import Postgres
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect
from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import wait_until
from proof.fleet_process import FleetProcess
from proof.halfyear import fill_half_year
from proof.hostile import PREFIX as HOSTILE_PREFIX
from proof.hostile import SERIALS as HOSTILE
from proof.hub import SERIALS as HUB_SERIALS
from proof.hub import aliases, hub_file
from proof.hub_oracle import compare_hub, read_said
from proof.journal import read_journal
from proof.oracle import Account, compare, compare_poison, read_quarantine, read_rows, read_tally
from proof.outcome import Outcome, Size
from proof.proxy import Proxy
from proof.service import Service
from proof.watch import Watch
from proof.world import World, new_database

MODEL = "generic-purifier-hours"
_SECRET = "the proof signs nothing that anybody keeps"
# Devices need no password, but ingest has one: its client ids are derived from it.
_INGEST, _PASSWORD = "millpond", "only-ingest-knows-it"
_BROKER = {"autosave_interval": 1, "sys_interval": 1}
_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is special about a stage: its own server, what ingest reaches by a proxy, settings of broker and fleet,
    and how many ingests share the serials."""

    postgres: Postgres | None = None
    proxied: Literal["broker", "database"] | None = None
    broker: Mapping[str, object] = field(default_factory=dict)
    fleet: Mapping[str, float] = field(default_factory=dict)
    shards: int = 1


class Stage:
    """One fault's own platform. Use `staged`, which opens it and ends everything that it started."""

    def __init__(self, world: World, name: str, size: Size, seed: int, plan: Plan) -> None:
        self.world, self.name, self.size, self.seed, self.plan = world, name, size, seed, plan
        self.outcome = Outcome()
        self.folder = world.folder / name
        self.folder.mkdir()
        self.prefix = f"{name.upper()}-"
        self.consumer = f"proof-{name}"
        self.postgres = plan.postgres or world.postgres
        self.proxy: Proxy | None = None

    def open(self, stack: ExitStack) -> None:
        """Start everything, wait until it is ready, and measure what this machine stores before anything goes wrong."""
        self._open_servers(stack)
        self._open_platform(stack)
        options = {"devices": self.size.devices, "rate": self.size.rate, **self.plan.fleet}
        self.fleet = FleetProcess(self.broker.url, self.folder / "journal", self.prefix, self.seed, **options)
        stack.callback(self.fleet.end)
        self.outcome.rate = self._measure_rate()

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
        self._await_hub()
        for ingest in self.ingests:
            ingest.stop()
        self.outcome.rss_mb = self.watch.seen.rss_mb
        with psycopg.connect(self.dsn) as conn:
            rows = read_rows(conn, self.prefix)
            of_hostile = len(read_rows(conn, HOSTILE_PREFIX))
            of_hub = [row for serial in HUB_SERIALS for row in read_rows(conn, serial)]
            kept, missing = read_tally(conn, self.consumer)
            quarantined = read_quarantine(conn, datetime(2000, 1, 1, tzinfo=UTC), HOSTILE_PREFIX)
        account = compare(samples, rows, server_offsets_ms=server_offsets_ms) + compare_poison(poison, quarantined)
        hub, forgotten = compare_hub(read_said(hub_file(self.fleet.journal)), of_hub)
        if forgotten:
            self.outcome.notes.append(f"the broker forgot {forgotten:,} values of a hub when it was killed")
        miscounted = abs(kept - len(rows) - len(of_hub) - of_hostile) + abs(missing)
        self.outcome.account = account + hub + Account(miscounted=miscounted)

    def _open_servers(self, stack: ExitStack) -> None:
        self.postgres.start()
        self.database = f"proof_{self.name.replace('-', '_')}"
        self.dsn = new_database(self.postgres, self.database)
        self._register()
        folder = self.folder / "broker"
        folder.mkdir()
        write_passwords(folder / "passwords", {_INGEST: _PASSWORD})
        conf: dict[str, object] = {"password_file": folder / "passwords", **_BROKER, **self.plan.broker}
        self.broker = stack.enter_context(Broker(folder, conf=conf))
        if self.plan.proxied:
            self.proxy = Proxy(self.broker.port if self.plan.proxied == "broker" else int(self.postgres.port or 0))
            stack.callback(self.proxy.close)

    def _open_platform(self, stack: ExitStack) -> None:
        self.settings = self._settings()
        self.ingests = [self._make_ingest(number) for number in range(1, self.plan.shards + 1)]
        self.ingest = self.ingests[0]
        self.serve = Service("serve", self.settings | {"MILLPOND_DATABASE_URL": self.dsn}, self.folder / "serve.log")
        for service in (*self.ingests, self.serve):
            stack.callback(service.stop)
            service.start()
        http_port = int(self.settings["MILLPOND_HTTP_PORT"])
        self.watch = stack.enter_context(Watch(self.dsn, self.consumer, http_port, self.ingest.rss_mb))
        try:
            wait_until(self._is_ready, "the platform to be ready", timeout_s=30)
        except Unavailable as error:
            raise Unavailable(f"{error}; /readyz says {self.watch.said}") from error

    def _make_ingest(self, number: int) -> Service:
        settings = self.settings | {"MILLPOND_SHARD": f"{number}/{self.plan.shards}"}
        return Service("ingest", settings, self.folder / f"ingest-{number}.log")

    def _is_ready(self) -> bool:
        """Whether /readyz is green; Unavailable with the last words of a service that has ended."""
        for service in (*self.ingests, self.serve):
            if not service.alive:
                raise Unavailable(f"a service ended at once: {service.last_words()}")
        return self.watch.ready is True

    def _await_quarantine(self, messages: int) -> None:
        def all_there() -> bool:
            with psycopg.connect(self.dsn) as conn:
                row = conn.execute("select count(*) from quarantined_message").fetchone()
            return row is not None and int(row[0]) >= messages

        with suppress(Unavailable):  # What is missing then, the account says.
            wait_until(all_there, "the quarantine of every bad message", timeout_s=15, every_s=0.2)

    def _await_hub(self) -> None:
        owed = {one.value for one in read_said(hub_file(self.fleet.journal)) if one.owed}

        def all_there() -> bool:
            with psycopg.connect(self.dsn) as conn:
                found = {row.value for serial in HUB_SERIALS for row in read_rows(conn, serial)}
            return owed <= found

        with suppress(Unavailable):  # What is missing then, the account says.
            wait_until(all_there, "what the hub said last", timeout_s=15, every_s=0.2)

    def _measure_rate(self) -> float:
        """What the fleet really sends and ingest really stores on this machine, before anything goes wrong."""
        self.watch.until_rate(0.5 * self.size.rate, 30)
        self.watch.until_rate(0.5 * self.size.rate, 30)
        return min(self.watch.rate(), self.size.rate)

    def _register(self) -> None:
        at = SystemClock().now() - timedelta(days=1)
        with connect(self.dsn) as conn, conn.transaction():
            numbered = [f"{self.prefix}{number:04d}" for number in range(self.size.devices)]
            for serial in (*numbered, *HOSTILE, *HUB_SERIALS):
                register_device(conn, serial=serial, model=MODEL, installed_at=at, at=at)
            hub = select_devices_by_serial(conn, HUB_SERIALS)
            for serial, name in aliases().items():
                device_id = hub[serial].device_id
                alias_device(conn, device_id, format_name="zigbee2mqtt", external_id=name, at=at)
        if self.size.half_year:
            with connect(self.dsn) as conn:
                fill_half_year(conn, self.prefix, at)

    def _settings(self) -> dict[str, str]:
        dsn, port = self.dsn, self.broker.port
        if self.proxy and self.plan.proxied == "database":
            dsn = make_conninfo(dsn, port=self.proxy.port)
        if self.proxy and self.plan.proxied == "broker":
            port = self.proxy.port
        return {
            "MILLPOND_DATABASE_URL": dsn,
            "MILLPOND_BROKER_URL": f"mqtt://{_INGEST}:{_PASSWORD}@127.0.0.1:{port}",
            "MILLPOND_JWT_SECRET": _SECRET,
            "MILLPOND_CONSUMER_ID": self.consumer,
            "MILLPOND_HTTP_PORT": str(free_port()),
            # Small on purpose: an outage fills it, and the bound is what is on trial.
            "MILLPOND_IN_FLIGHT_MAX_MESSAGES": "5000",
        }


@contextmanager
def staged(world: World, name: str, size: Size, seed: int, plan: Plan | None = None) -> Iterator[Stage]:
    """A stage with everything running and its rate measured. Everything it started is ended at the end."""
    with ExitStack() as stack:
        stage = Stage(world, name, size, seed, plan or Plan())
        stage.open(stack)
        yield stage
    if stage.postgres is world.postgres and not world.keep:
        with suppress(psycopg.Error, Unavailable):
            drop_database(stage.postgres.dsn, stage.database)
