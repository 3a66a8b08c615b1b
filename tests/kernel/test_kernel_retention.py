"""Rows that have an end go some at a time, under the run's lease, and in nobody's way."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.nouns import Keeping, Rejection
from ingest.retention import ingest_endings
from ingest.storing.quarantine import RefusedItem, RefusedMessage, insert_quarantine
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import ConfigurationError, LeaseLost
from millpond.kernel.jobs import claim_run, finish_run
from millpond.kernel.retention import Ending, end_old_rows, kernel_endings
from millpond.kernel.settings import load_settings
from tests.endings import retain

AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS, RUNS = kernel_endings(load_settings())


def add_keys(conn: WriteConnection, count: int, at: datetime) -> None:
    conn.execute(
        "insert into idempotency_key (subject, key, request_hash, status, response, created_at)"
        " select 'cus', 'key ' || n || ' of ' || %(at)s::date, '', 201, '{}', %(at)s"
        " from generate_series(1, %(count)s) n",
        {"count": count, "at": at},
    )


def test_an_old_answer_goes_and_a_young_one_is_given_again(conn: WriteConnection) -> None:
    add_keys(conn, 3, AT - 8 * DAY)
    add_keys(conn, 2, AT - 6 * DAY)
    assert retain(conn, AT) == {"answers kept for repeated requests": 3}
    assert conn.execute("select count(*) from idempotency_key").fetchone() == (2,)


def test_answers_are_kept_for_a_day_at_least() -> None:
    with pytest.raises(ConfigurationError, match="MILLPOND_IDEMPOTENCY_KEY_KEEP_DAYS is wrong: a request"):
        load_settings(idempotency_key_keep_days=0.5)


def add_run(conn: WriteConnection, job: str, days_ago: int) -> None:
    at = AT - days_ago * DAY
    claim = claim_run(conn, job, at, holder="test", at=at)
    assert claim is not None
    finish_run(conn, claim, at=at, summary={})


def test_old_runs_go_and_the_two_newest_of_a_job_stay_so_that_no_period_is_run_again(conn: WriteConnection) -> None:
    for job, days in (("offers", 100), ("offers", 95), ("offers", 80), ("offers", 1), ("yearly", 700), ("yearly", 300)):
        add_run(conn, job, days)
    assert retain(conn, AT) == {"runs of jobs": 2}
    left = conn.execute("select job, scheduled_for from job_run order by job, scheduled_for").fetchall()
    assert [(job, (AT - at).days) for job, at in left] == [
        ("offers", 80),
        ("offers", 1),
        ("yearly", 700),
        ("yearly", 300),
    ]


def test_what_is_old_goes_in_small_transactions(database: str) -> None:
    with connect(database) as conn:
        add_keys(conn, 25, AT - 30 * DAY)
        conn.execute("create table seen (xid xid8, rows bigint)")
        conn.execute(
            "create function see() returns trigger language plpgsql as $$ begin"
            " insert into seen select pg_current_xact_id(), count(*) from gone; return null; end $$"
        )
        conn.execute(
            "create trigger see after delete on idempotency_key referencing old table as gone"
            " for each statement execute function see()"
        )
        assert end_old_rows(conn, KEYS, AT, most=10) == 25
        rows = conn.execute("select rows from seen where rows > 0 order by xid").fetchall()
        assert rows == [(10,), (10,), (5,)]
        assert conn.execute("select count(distinct xid) from seen where rows > 0").fetchone() == (3,)


def test_a_run_that_was_taken_over_deletes_nothing_more(conn: WriteConnection) -> None:
    add_keys(conn, 3, AT - 30 * DAY)
    lost = claim_run(conn, "retention", AT, holder="a", at=AT, lease=timedelta(seconds=-1))
    assert claim_run(conn, "retention", AT, holder="b", at=AT)
    with pytest.raises(LeaseLost):
        end_old_rows(conn, KEYS, AT, claim=lost)
    assert conn.execute("select count(*) from idempotency_key").fetchone() == (3,)


def test_two_runs_at_once_count_every_row_once(database: str) -> None:
    ended: list[int] = []
    start = threading.Barrier(2)

    def run() -> None:
        with connect(database) as conn:
            start.wait()
            ended.append(end_old_rows(conn, KEYS, AT, most=7))

    with connect(database) as conn:
        add_keys(conn, 500, AT - 30 * DAY)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(ended) == 500


def ending_of(table: str) -> Ending:
    return next(e for e in ingest_endings(load_settings()) if e.table == table)


def test_an_old_message_that_comes_again_at_the_moment_is_not_waited_for_and_stays(database: str) -> None:
    """Its items have gone, and a batch that is not committed yet refers to it anew."""
    refused = RefusedItem("A-1", Rejection("malformed", "no JSON"))
    old = RefusedMessage("millpond/v1/A-1/telemetry", b"{", AT - 100 * DAY, [refused])
    ending = ending_of("quarantined_message")
    with connect(database) as conn, connect(database) as other:
        conn.execute("set lock_timeout = '5 s'")
        with conn.transaction():
            insert_quarantine(conn, [old], Keeping())
        conn.execute("delete from quarantine")
        with other.transaction():
            assert insert_quarantine(other, [replace(old, received_at=AT)], Keeping()).items == 1
            assert end_old_rows(conn, ending, AT) == 0
        assert end_old_rows(conn, ending, AT) == 0
        assert end_old_rows(conn, ending, AT + 100 * DAY) == 0
        conn.execute("delete from quarantine")
        assert end_old_rows(conn, ending, AT + 100 * DAY) == 1


def test_a_boot_that_speaks_at_the_moment_is_not_waited_for_and_stays(database: str) -> None:
    with connect(database) as conn, connect(database) as other:
        conn.execute("set lock_timeout = '5 s'")
        conn.execute(
            "insert into sequence (serial, boot, first_seen_at, last_seen_at) values ('A-1', 'b', %(at)s, %(at)s)",
            {"at": AT - 900 * DAY},
        )
        with other.transaction():
            other.execute("update sequence set last_seen_at = %s", [AT])
            assert end_old_rows(conn, ending_of("sequence"), AT) == 0
        assert conn.execute("select count(*) from sequence").fetchone() == (1,)
