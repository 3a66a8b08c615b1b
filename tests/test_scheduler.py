"""The scheduler's tick: what is due runs once, whoever ticks."""

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from millpond.kernel.clock import StillClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.jobs import Claim, hold_lease
from millpond.kernel.settings import load_settings
from millpond.scheduler import Job, make_holder, make_jobs, run_scheduler, tick

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
# Stands still: these tests are about periods, not about time passing.
CLOCK = StillClock(AT)
HOUR = timedelta(hours=1)


def counting(seen: list[datetime]) -> Job:
    def run(_conn: WriteConnection, at: datetime, _claim: Claim) -> dict[str, Any]:
        seen.append(at)
        return {"seen": len(seen)}

    return Job("count", HOUR, run)


def test_a_period_runs_once_however_often_it_ticks(database: str) -> None:
    seen: list[datetime] = []
    ran = [tick(database, [counting(seen)], CLOCK, make_holder()) for _ in range(3)]
    assert ran == [["count"], [], []]
    assert seen == [datetime(2026, 3, 1, 12, tzinfo=UTC)]


def test_schedulers_that_tick_at_once_share_the_work(database: str) -> None:
    seen: list[datetime] = []
    barrier = threading.Barrier(6)

    def scheduler() -> None:
        barrier.wait()
        tick(database, [counting(seen)], CLOCK, make_holder())

    threads = [threading.Thread(target=scheduler) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1


def test_a_stopped_scheduler_that_wakes_up_writes_nothing(database: str) -> None:
    """While it was stopped its lease ran out, another one took the period over, and only that one's work counts."""
    wrote: list[str] = []

    def overtaken(conn: WriteConnection, at: datetime, claim: Claim) -> dict[str, Any]:
        with connect(database) as other:
            other.execute("update job_run set lease_until = clock_timestamp() - interval '1 second'")
        assert tick(database, [Job("slow", HOUR, lambda *_: {"by": "the second"})], CLOCK, "second") == ["slow"]
        with conn.transaction():
            hold_lease(conn, claim)
            wrote.append("the first")
        return {"by": "the first"}

    assert tick(database, [Job("slow", HOUR, overtaken)], CLOCK, "first") == []
    assert wrote == []
    with connect(database) as conn:
        assert conn.execute("select state, epoch, holder, summary from job_run").fetchall() == [
            ("done", 2, "second", {"by": "the second"})
        ]


def test_a_period_whose_scheduler_was_killed_is_run_also_when_the_next_one_has_begun(database: str) -> None:
    seen: list[datetime] = []
    before = StillClock(AT - HOUR)

    def killed(*_: object) -> dict[str, Any]:
        raise SystemExit  # As far as the table can tell, the process is gone.

    with pytest.raises(SystemExit):
        tick(database, [Job("count", HOUR, killed)], before, "the first")
    with connect(database) as conn:
        conn.execute("update job_run set lease_until = clock_timestamp() - interval '1 second'")
    for _ in range(3):
        tick(database, [counting(seen)], CLOCK, "the second")
    assert seen == [datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)]


def test_a_job_that_fails_is_recorded_and_does_not_stop_the_others(database: str) -> None:
    seen: list[datetime] = []

    def broken(*_: object) -> dict[str, Any]:
        raise RuntimeError("no luck")

    assert tick(database, [Job("broken", HOUR, broken), counting(seen)], CLOCK, "x") == ["count"]
    with connect(database) as conn:
        assert conn.execute("select error from job_run where job = 'broken'").fetchone() == ("RuntimeError: no luck",)


def test_a_tick_without_a_database_is_no_harm(unused_dsn: str) -> None:
    assert tick(unused_dsn, [], CLOCK, "x") == []


def test_the_platforms_jobs_run_on_an_empty_database(database: str) -> None:
    settings = load_settings(database_url=database, tick_s=0.1)
    stop = threading.Event()
    thread = threading.Thread(target=run_scheduler, args=(settings, CLOCK, stop))
    thread.start()
    try:
        with connect(database) as conn:
            for _ in range(400):
                states: dict[str, str] = dict(conn.execute("select job, state from job_run").fetchall())
                if len(states) == len(make_jobs(settings, CLOCK)) and set(states.values()) == {"done"}:
                    break
                stop.wait(0.05)
    finally:
        stop.set()
        thread.join(30)
    assert set(states.values()) == {"done"}
    assert set(states) == {
        "forecast",
        "late_data",
        "offers",
        "score_customers",
        "dam_days",
        "intervals",
        "erasures",
        "segments",
        "release_commissions",
        "retention",
    }


def test_only_the_tick_itself_tells_how_it_went(unused_dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stop = threading.Event()
    settings = load_settings(database_url=unused_dsn, tick_s=0.05)
    thread = threading.Thread(target=run_scheduler, args=(settings, CLOCK, stop))
    thread.start()
    try:
        for _ in range(400):
            if sum(getattr(record, "event", "") == "tick_failed" for record in list(caplog.records)) > 1:
                break
            stop.wait(0.05)
    finally:
        stop.set()
        thread.join(30)
    assert any(getattr(record, "event", "") == "tick_failed" for record in caplog.records)
    assert [record.getMessage() for record in caplog.records if record.levelno < logging.WARNING] == []


def test_a_tick_that_comes_while_a_job_runs_is_nothing_to_tell(
    database: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipped, logger = threading.Event(), logging.getLogger("apscheduler.scheduler")
    warn = logger.warning

    def warn_and_note(*words: object) -> None:
        warn(*words)
        skipped.set()

    monkeypatch.setattr(logger, "warning", warn_and_note)
    stop = threading.Event()
    settings = load_settings(database_url=database, tick_s=0.05)
    thread = threading.Thread(target=run_scheduler, args=(settings, CLOCK, stop))
    with connect(database) as other, other.transaction():
        other.execute("lock table job_run")
        thread.start()
        assert skipped.wait(60)
        stop.set()
    thread.join(30)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("apscheduler")] == []


@pytest.fixture
def unused_dsn(server_dsn: str) -> str:
    """A database that is not there."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(server_dsn, dbname="no_such_database")


def test_losing_the_lease_is_an_error_of_its_own(database: str) -> None:
    with connect(database) as conn, pytest.raises(LeaseLost):
        hold_lease(conn, Claim("never", AT, 1, HOUR))
