"""The platform's jobs, run by `millpond simulate --jobs` once a scenario's fleet has lived."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from millpond.kernel.clock import Clock
from millpond.kernel.db import connect
from millpond.kernel.settings import Settings

if TYPE_CHECKING:
    from simulators.runs.fleet import Fleet


def make_job_run(settings: Settings, clock: Clock) -> Callable[["Fleet", datetime], None]:
    """What forecasts, and then issues offers, as of the moment it is given. Needs MILLPOND_DATABASE_URL."""
    dsn = settings.require("database_url").database_url.get_secret_value()

    def run_jobs(_fleet: "Fleet", at: datetime) -> None:
        from forecasting.job import run_forecasts
        from offers.job import issue_due_offers
        from offers.nouns import Rules

        with connect(dsn, application="millpond-simulate") as conn:
            run_forecasts(conn, at, made_at=clock.now())
            issue_due_offers(conn, at, Rules.from_settings(settings))

    return run_jobs
