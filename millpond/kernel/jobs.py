"""What ran is a table: one row per job and scheduled time, with a lease and an epoch.

Leases are measured on the database's clock, the one clock that all schedulers share; the scheduled time is the
platform's. Every transaction that writes a result of the run is opened by `held`: it renews the lease, and it fails
when another scheduler has taken the period over, so a stopped process that wakes up writes nothing.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from millpond.kernel.db import ReadConnection, WriteConnection, connect, load_queries
from millpond.kernel.errors import LeaseLost

_Q = load_queries("millpond.kernel")
LEASE = timedelta(seconds=60)
_PAUSE_MAX = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run `job` for `scheduled_for`; `epoch` counts how often the period was claimed."""

    job: str
    scheduled_for: datetime
    epoch: int
    lease: timedelta


def claim_run(
    conn: WriteConnection, job: str, scheduled_for: datetime, *, holder: str, at: datetime, lease: timedelta = LEASE
) -> Claim | None:
    """Claim the period, or None when it is done, another holder's lease is good, or its failure is too recent."""
    row = conn.execute(
        _Q["claim_job_run"], {"job": job, "scheduled_for": scheduled_for, "holder": holder, "at": at, "lease": lease}
    ).fetchone()
    return Claim(job, scheduled_for, int(row[0]), lease) if row else None


def select_left_period(conn: ReadConnection, job: str, *, since: datetime, present: datetime) -> datetime | None:
    """The first period from `since` on, before `present`, that was begun and not done, and that nobody holds."""
    row = conn.execute(_Q["select_left_period"], {"job": job, "since": since, "present": present}).fetchone()
    return row[0] if row else None


def hold_lease(conn: WriteConnection, claim: Claim) -> None:
    """Renew the lease inside the caller's transaction; raises LeaseLost when the period was taken over."""
    cursor = conn.execute(_Q["hold_job_lease"], _key(claim) | {"lease": claim.lease})
    if cursor.rowcount == 0:
        raise LeaseLost(f"{claim.job} for {claim.scheduled_for.isoformat()} was taken over by another scheduler")


@contextmanager
def held(conn: WriteConnection, claim: Claim | None) -> Iterator[None]:
    """One transaction in which the run is still ours; without a claim (a run by hand), a transaction alone.

    Raises LeaseLost, before anything is written, when the period was taken over.
    """
    with conn.transaction():
        if claim is not None:
            hold_lease(conn, claim)
        yield


def finish_run(conn: WriteConnection, claim: Claim, *, at: datetime, summary: dict[str, Any]) -> None:
    """Mark the period done; raises LeaseLost when it was taken over."""
    _end(conn, "finish_job_run", claim, {"at": at, "summary": Jsonb(summary, dumps=_dumps)})


def fail_run(conn: WriteConnection, claim: Claim, *, at: datetime, error: str) -> None:
    """Mark the period failed, to be claimed again after a pause, half a lease longer each time.

    Raises LeaseLost when it was taken over.
    """
    pause = min(claim.lease / 2 * claim.epoch, _PAUSE_MAX)
    _end(conn, "fail_job_run", claim, {"at": at, "error": error, "pause": pause})


def _end(conn: WriteConnection, query: str, claim: Claim, values: dict[str, Any]) -> None:
    if conn.execute(_Q[query], _key(claim) | values).rowcount == 0:
        raise LeaseLost(f"{claim.job} for {claim.scheduled_for.isoformat()} was taken over by another scheduler")


def _dumps(summary: Any) -> str:
    return json.dumps(summary, default=str)


def _key(claim: Claim) -> dict[str, Any]:
    return {"job": claim.job, "scheduled_for": claim.scheduled_for, "epoch": claim.epoch}


@contextmanager
def lease_kept(dsn: str, claim: Claim) -> Iterator[None]:
    """Renew the lease from a connection and a thread of its own, for jobs that compute long between two writes.

    It only keeps others from taking over a run that is alive; what is written is guarded by `hold_lease` alone.
    """
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(dsn, claim, done), name=f"lease-{claim.job}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(dsn: str, claim: Claim, done: threading.Event) -> None:
    while not done.wait(claim.lease.total_seconds() / 3):
        try:
            with connect(dsn, application="millpond-lease") as conn:
                hold_lease(conn, claim)
        except LeaseLost:
            return
        except psycopg.Error:
            continue  # The database is away for the job too; the lease may well run out, and then it is lost.
