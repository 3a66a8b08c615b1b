"""The scheduler: APScheduler ticks, and a table is the truth about what ran.

A tick looks at which periods are due. Whoever claims one runs it; the others see it taken. What a killed scheduler left
behind is claimed again when its lease has run out.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler

from attribution.release import release_commissions
from dam.erasure import finish_erasures
from dam.report.days import count_days
from devices.presence.states import learn_intervals
from devices.tiers.packing import pack_months
from forecasting.job import forecast_late, run_forecasts
from millpond.kernel.clock import Clock, floor_to_period
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.ids import new_id
from millpond.kernel.jobs import LEASE, Claim, claim_run, fail_run, finish_run, lease_kept, select_left_period
from millpond.kernel.settings import Settings
from millpond.retention import end_what_is_old
from offers.job import issue_due_offers
from offers.nouns import Rules
from segments.refreshing import run_refresh

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What runs once a period. `run` gets the scheduled time as its `at` and returns a summary."""

    name: str
    period: timedelta
    run: Callable[[WriteConnection, datetime, Claim], dict[str, Any]]


def make_jobs(settings: Settings, clock: Clock) -> list[Job]:
    """The platform's jobs, in the order in which one tick runs them."""
    return [
        Job("forecast", timedelta(hours=settings.forecast_period_h), _forecast_job(clock)),
        Job("late_data", timedelta(hours=settings.late_data_period_h), _late_job(clock)),
        *_tell_jobs(settings),
        Job("offers", timedelta(hours=settings.offers_period_h), _offers_job(settings)),
        Job("score_customers", timedelta(hours=settings.score_period_h), _scores_job(settings, clock)),
        Job("dam_days", timedelta(days=1), _dam_days_job),
        Job("erasures", timedelta(minutes=15), _erasures_job),
        Job("segments", timedelta(hours=settings.segment_period_h), _segments_job(clock)),
        Job("intervals", timedelta(days=1), _intervals_job),
        Job("release_commissions", timedelta(days=1), _release_job),
        Job("retention", timedelta(days=1), _retention_job(settings)),
    ]


def run_scheduler(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Tick until `stop` is set; a job that is running then is finished first."""
    # It would tell of every tick, and call one that failed successful; what matters, the tick says itself.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    # It would warn at every tick that comes while a job still runs, which is what ticks are for.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    jobs, holder = make_jobs(settings, clock), make_holder()
    args = [settings.database_url.get_secret_value(), jobs, clock, holder, timedelta(seconds=settings.lease_s)]
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(tick, "interval", seconds=settings.tick_s, args=args, max_instances=1, coalesce=True)
    scheduler.start()
    stop.wait()
    scheduler.shutdown(wait=True)


def tick(dsn: str, jobs: Sequence[Job], clock: Clock, holder: str, lease: timedelta = LEASE) -> list[str]:
    """Run the periods that are due and not taken; returns the names of the jobs that ran. Never raises."""
    ran = []
    try:
        # A scheduler that is stopped within a transaction holds its locks; the server ends that when the lease ends.
        with connect(dsn, application="millpond-scheduler", transaction_idle_max=lease) as conn:
            for job in jobs:
                ran += [job.name] if run_if_due(conn, dsn, job, clock, holder, lease) else []
    except psycopg.Error as error:
        _LOG.error("no tick: %s", error, extra={"event": "tick_failed", "sqlstate": error.sqlstate})
    return ran


def run_if_due(conn: WriteConnection, dsn: str, job: Job, clock: Clock, holder: str, lease: timedelta = LEASE) -> bool:
    """Claim and run what is left of the job's last period, else the present one; False when there is nothing to do.

    Also False when it was taken, failed, or lost on the way.
    """
    present = floor_to_period(clock.now(), job.period)
    left = select_left_period(conn, job.name, since=present - job.period, present=present)
    scheduled_for = present if left is None else left
    claim = claim_run(conn, job.name, scheduled_for, holder=holder, at=clock.now(), lease=lease)
    if claim is None:
        return False
    event = {"job": job.name, "scheduled_for": scheduled_for.isoformat(), "epoch": claim.epoch}
    try:
        with lease_kept(dsn, claim):
            summary = job.run(conn, scheduled_for, claim)
        finish_run(conn, claim, at=clock.now(), summary=summary)
    except LeaseLost as error:
        _LOG.warning("%s", error, extra=event | {"event": "lease_lost"})
        return False
    except Exception as error:
        _LOG.exception("the job failed", extra=event | {"event": "job_failed"})
        _record_failure(dsn, claim, clock, f"{type(error).__name__}: {error}")
        return False
    _LOG.info("the job is done", extra=event | {"event": "job_done", "summary": summary})
    return True


def make_holder() -> str:
    """Who claims: readable in the table, and unique to this process's life."""
    return f"{socket.gethostname()}:{os.getpid()}:{new_id('sch')}"


def _record_failure(dsn: str, claim: Claim, clock: Clock, why: str) -> None:
    try:
        with connect(dsn, application="millpond-scheduler") as conn:
            fail_run(conn, claim, at=clock.now(), error=why)
    except (psycopg.Error, LeaseLost) as error:
        _LOG.error("the failure could not be recorded: %s", error, extra={"event": "job_failed"})


def _forecast_job(clock: Clock) -> Callable[[WriteConnection, datetime, Claim], dict[str, Any]]:
    return lambda conn, at, claim: asdict(run_forecasts(conn, at, made_at=clock.now(), claim=claim))


def _late_job(clock: Clock) -> Callable[[WriteConnection, datetime, Claim], dict[str, Any]]:
    def run(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
        summary = forecast_late(conn, at, made_at=clock.now(), claim=claim)
        return {} if summary is None else asdict(summary)

    return run


def _tell_jobs(settings: Settings) -> list[Job]:
    """Tells devices and households what changed, where there is a broker."""
    if not settings.broker_url.get_secret_value():
        return []
    from outward.told.telling import tell_devices

    def tell(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
        return asdict(tell_devices(conn, at, settings, claim=claim))

    return [Job("tell", timedelta(hours=settings.tell_period_h), tell)]


def _offers_job(settings: Settings) -> Callable[[WriteConnection, datetime, Claim], dict[str, Any]]:
    return lambda conn, at, claim: asdict(issue_due_offers(conn, at, Rules.from_settings(settings), claim=claim))


def _scores_job(settings: Settings, clock: Clock) -> Callable[[WriteConnection, datetime, Claim], dict[str, Any]]:
    def run(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
        # scipy and LightGBM take a second to load, which a scheduler that starts does not wait for.
        from segments.models.job import ScoringRules, run_scores

        return run_scores(conn, at, ScoringRules.from_settings(settings), made_at=clock.now(), claim=claim)

    return run


def _segments_job(clock: Clock) -> Callable[[WriteConnection, datetime, Claim], dict[str, Any]]:
    return lambda conn, at, claim: asdict(run_refresh(conn, at, asked_at=clock.now(), claim=claim))


def _release_job(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
    return {"released": release_commissions(conn, at, claim=claim)}


def _dam_days_job(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
    return {"days": count_days(conn, at, claim=claim)}


def _erasures_job(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
    return {"erased": finish_erasures(conn, at, claim=claim)}


def _intervals_job(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
    return {"known": learn_intervals(conn, at, claim=claim)}


def _retention_job(settings: Settings) -> Callable[[WriteConnection, datetime, Claim], dict[str, Any]]:
    def run(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
        summary = asdict(end_what_is_old(conn, at, settings, claim=claim))
        pack_months(conn, at)
        return summary

    return run
