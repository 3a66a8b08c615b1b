"""A running platform for a module's tests: database, ingest and API, and its jobs for a stated moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from api.auth import Role, mint_token
from devices.importing import import_devices
from forecasting.job import run_forecasts
from millpond.embedded.databases import temporary_database
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect
from millpond.kernel.ids import new_id
from millpond.kernel.settings import load_settings
from millpond.services import ingesting, serving
from offers.job import issue_due_offers
from offers.nouns import Rules
from offers.ownership import assign_device
from simulators.runs.fleet import Fleet
from simulators.scenarios.platform import PlatformApi
from simulators.scenarios.play import Played, PlayOptions, play_scenario
from simulators.scenarios.scenario import Scenario

_SECRET = "the simulators' secret, which nobody else may know"


@dataclass(frozen=True)
class RealPlatform:
    """Where it is, and what a test does with it."""

    dsn: str
    broker: str
    address: str
    token: str
    folder: Path

    @property
    def api(self) -> PlatformApi:
        return PlatformApi(self.address, self.token)

    def register(self, fleet: Fleet) -> None:
        """Make the fleet known, customers and all."""
        manifest = self.folder / "devices.csv"
        fleet.write_manifest(manifest)
        with connect(self.dsn) as conn:
            assert import_devices(conn, manifest, at=SystemClock().now(), assign=assign_device).faults == []

    def run_jobs(self, fleet: Fleet, at: datetime) -> None:
        """Replacements, forecasts and offers, as they are at `at`."""
        with connect(self.dsn) as conn:
            run_forecasts(conn, at, made_at=at, forecaster="fixed")
            issue_due_offers(conn, at, Rules.from_settings(load_settings()))

    def play(self, scenario: Scenario, folder: Path = Path(), *, jobs: bool = False) -> Played:
        """Register a scenario's fleet, let it live, and judge what came of it."""
        clock = SystemClock()
        return play_scenario(
            scenario,
            folder,
            PlayOptions(self.broker, api=self.api, patience_s=5),
            clock,
            at=clock.now(),
            before_living=self.register,
            before_judging=self.run_jobs if jobs else None,
        )

    def fetch(self, query: str, *values: object) -> list[Any]:
        """Rows of an ad-hoc query."""
        with psycopg.connect(self.dsn) as conn:
            return conn.execute(query, values).fetchall()


@contextmanager
def running_platform(server_dsn: str, template: str, broker_url: str, folder: Path) -> Iterator[RealPlatform]:
    """A platform on a database of its own."""
    clock = SystemClock()
    token = mint_token(_SECRET, Role.OPERATOR, "ops", clock.now(), timedelta(hours=1))
    with temporary_database(server_dsn, prefix="millpond_simulated", template=template) as dsn:
        settings = load_settings(
            database_url=dsn,
            broker_url=broker_url,
            jwt_secret=_SECRET,
            http_port=0,
            consumer_id=new_id("simulated"),
            batch_max_wait_ms=5,
        )
        with ingesting(settings, clock), serving(settings, clock) as address:
            yield RealPlatform(dsn, broker_url, address, token, folder)
