"""One job over the tables of all packages: its report, its command, and what it never touches."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from api.web.job_words import job_words
from millpond.kernel.clock import StillClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import load_settings
from millpond.retention import end_what_is_old, make_endings
from millpond.scheduler import make_holder, make_jobs, tick
from tests.cli.conftest import Run, assert_one_sentence

AT = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
CLOCK = StillClock(AT)
OLD = AT - timedelta(days=500)


def add_old(conn: WriteConnection) -> None:
    """Two answers and one corrected time that are due."""
    conn.execute(
        "insert into idempotency_key select 'cus', n::text, '', 201, '{}', %s from generate_series(1, 2) n", [OLD]
    )
    conn.execute("insert into effective_time values ('A-1', 'b', 1, %s)", [OLD])


@pytest.fixture
def filled(database: str) -> str:
    with connect(database) as conn:
        add_old(conn)
    return database


def count(database: str) -> tuple[int, ...] | None:
    with connect(database) as conn:
        return conn.execute(
            "select (select count(*) from idempotency_key), (select count(*) from effective_time)"
        ).fetchone()


def test_the_scheduler_lets_old_rows_go_once_a_day_and_says_in_words_what_went(filled: str) -> None:
    settings = load_settings(database_url=filled)
    [job] = [job for job in make_jobs(settings, CLOCK) if job.name == "retention"]
    assert job.period == timedelta(days=1)
    assert [tick(filled, [job], CLOCK, make_holder()) for _ in range(2)] == [["retention"], []]
    with connect(filled) as conn:
        row = conn.execute("select summary from job_run where job = 'retention'").fetchone()
    assert row is not None
    words = "old rows deleted 3, of them: corrected times 1, answers kept for repeated requests 2"
    assert job_words("retention", row[0]) == words
    assert count(filled) == (0, 0)


def test_a_run_with_nothing_to_do_says_so(conn: WriteConnection) -> None:
    summary = end_what_is_old(conn, AT, load_settings())
    assert (summary.rows_deleted, summary.deleted) == (0, {})


def test_what_a_run_calls_things_is_said_of_one_thing_only() -> None:
    words = [ending.what for ending in make_endings(load_settings())]
    assert len(set(words)) == len(words)


def test_every_ending_has_a_setting_that_can_be_zero() -> None:
    settings = load_settings()
    names = [name for name in type(settings).model_fields if name.endswith("_keep_days")]
    kept = make_endings(load_settings(**dict.fromkeys(names, 0)))
    # What ends by its number, and not by its age, has a setting for that.
    assert {ending.kept for ending in kept if not ending.more} == {timedelta()}
    assert all(ending.kept for ending in make_endings(settings))


def test_the_command_counts_first_and_then_deletes(filled: str, millpond: Run) -> None:
    dry = millpond("retention", "--at", "2026-06-01", "--dry-run", MILLPOND_DATABASE_URL=filled)
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.splitlines()[-1] == "3 rows would be deleted as of 2026-06-01T00:00:00+00:00"
    assert count(filled) == (2, 1)
    done = millpond("retention", "--at", "2026-06-01", MILLPOND_DATABASE_URL=filled)
    assert done.returncode == 0, done.stderr
    assert "corrected times" in done.stdout
    assert done.stdout.splitlines()[-1] == "3 rows deleted as of 2026-06-01T00:00:00+00:00"
    assert count(filled) == (0, 0)
    again = millpond("retention", "--at", "2026-06-01", "--json", MILLPOND_DATABASE_URL=filled)
    assert json.loads(again.stdout) == {
        "at": "2026-06-01T00:00:00+00:00",
        "dry_run": False,
        "rows_deleted": 0,
        "deleted": {},
    }


def test_the_command_deletes_nothing_as_of_a_moment_that_has_not_come(filled: str, millpond: Run) -> None:
    done = millpond("retention", "--at", "2199-01-01", MILLPOND_DATABASE_URL=filled)
    assert_one_sentence(done, "has not come yet", "--dry-run", code=2)
    assert count(filled) == (2, 1)
    dry = millpond("retention", "--at", "2199-01-01", "--dry-run", MILLPOND_DATABASE_URL=filled)
    assert dry.returncode == 0, dry.stderr
