"""A period is run by one scheduler, once, and a killed one's period is taken over."""

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.jobs import Claim, claim_run, fail_run, finish_run, held, hold_lease, lease_kept

AT = datetime(2026, 3, 1, tzinfo=UTC)
PAST = timedelta(seconds=-1)


def claim(conn: WriteConnection, holder: str = "a", lease: timedelta = timedelta(minutes=1)) -> Claim | None:
    return claim_run(conn, "forecast", AT, holder=holder, at=AT, lease=lease)


def must(claimed: Claim | None) -> Claim:
    assert claimed is not None
    return claimed


def test_a_period_is_claimed_once(conn: WriteConnection) -> None:
    first = must(claim(conn))
    assert claim(conn, "b") is None
    finish_run(conn, first, at=AT, summary={"n": 1})
    assert claim(conn, "b") is None


def test_of_eight_schedulers_one_gets_the_period(database: str) -> None:
    claims: list[Claim | None] = []
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        with connect(database) as conn:
            barrier.wait()
            claims.append(claim(conn, f"scheduler-{number}"))

    threads = [threading.Thread(target=run, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([c for c in claims if c is not None]) == 1


def test_a_period_whose_lease_ran_out_is_taken_over_and_its_old_holder_can_write_nothing(conn: WriteConnection) -> None:
    stopped = must(claim(conn, lease=PAST))
    taken = must(claim(conn, "b"))
    assert taken.epoch == stopped.epoch + 1
    with pytest.raises(LeaseLost, match="taken over"), held(conn, stopped):
        pytest.fail("its transaction was begun")
    with pytest.raises(LeaseLost):
        finish_run(conn, stopped, at=AT, summary={})
    finish_run(conn, taken, at=AT, summary={})


def test_a_failed_period_is_tried_again_after_a_pause(conn: WriteConnection) -> None:
    fail_run(conn, must(claim(conn)), at=AT, error="no reason")
    assert claim(conn, "b") is None
    conn.execute("update job_run set lease_until = clock_timestamp() - interval '1 second'")
    assert must(claim(conn, "b")).epoch == 2


def test_a_summary_may_hold_times(conn: WriteConnection) -> None:
    finish_run(conn, must(claim(conn)), at=AT, summary={"at": AT})
    assert conn.execute("select summary from job_run").fetchone() == ({"at": "2026-03-01 00:00:00+00:00"},)


def test_holding_the_lease_renews_it(conn: WriteConnection) -> None:
    short = must(claim(conn, lease=PAST))
    hold_lease(conn, Claim(short.job, short.scheduled_for, short.epoch, timedelta(minutes=1)))
    assert claim(conn, "b") is None


def test_what_is_written_under_a_lease_is_written_whole_or_not_at_all(conn: WriteConnection) -> None:
    holding = must(claim(conn))
    for given in (holding, None):
        with pytest.raises(psycopg.errors.DivisionByZero), held(conn, given):
            conn.execute("update job_run set error = 'written'; select 1 / 0")
        assert conn.execute("select error from job_run").fetchall() == [(None,)]
        with held(conn, given):
            conn.execute("update job_run set error = 'written'")
        assert conn.execute("update job_run set error = null returning 1").fetchall() == [(1,)]


def test_a_job_that_computes_long_keeps_its_lease(database: str) -> None:
    with connect(database) as conn:
        # Renewed after a third of it; the rest is how long this process may be held up without losing it.
        short = must(claim(conn, lease=timedelta(seconds=6)))
        with lease_kept(database, short):
            first = conn.execute("select lease_until from job_run").fetchone()
            for _ in range(400):
                if conn.execute("select lease_until from job_run").fetchone() != first:
                    break
                threading.Event().wait(0.01)
            else:
                pytest.fail("the lease was not renewed")
            assert claim(conn, "b") is None
