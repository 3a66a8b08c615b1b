"""`millpond doctor`: what is wrong is seen, and what to change is said."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ingest.health import beat
from millpond.cli.database_checks import (
    check_database_jobs,
    check_permissions,
    check_scheduler,
    check_skew,
    check_timescale,
)
from millpond.cli.findings import Finding, Level
from millpond.embedded.ports import free_port
from millpond.kernel.clock import StillClock
from millpond.kernel.db import ReadConnection, WriteConnection, connect
from millpond.kernel.jobs import claim_run, fail_run, finish_run
from millpond.kernel.settings import load_settings
from tests.cli.conftest import SECRET, Run

AT = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
MIDNIGHT, ONE = timedelta(minutes=30), timedelta(hours=1)


def examine(millpond: Run, *words: str, **settings: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and per check (the last line of each) its mark and its sentence."""
    done = millpond("doctor", *words, **settings)
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    return done.returncode, {check: (mark, sentence) for mark, check, sentence in lines}


def test_a_platform_that_is_well(millpond: Run, database: str, broker_url: str) -> None:
    with connect(database) as conn:
        beat_now(conn)
    settings = {"MILLPOND_DATABASE_URL": database, "MILLPOND_BROKER_URL": broker_url, "MILLPOND_JWT_SECRET": SECRET}
    code, found = examine(millpond, MILLPOND_STATUS_GRACE_S="60", **settings)
    assert code == 0
    assert found.pop("scheduler") == ("!", "job forecast has never run: start `millpond schedule`.")
    assert found.pop("login")[0] == found.pop("payloads")[0] == "!"
    assert {mark for mark, _ in found.values()} == {"✓"}
    assert set(found) == {
        "settings",
        "secret",
        "profiles",
        "database",
        "timescaledb",
        "schema",
        "permissions",
        "clock",
        "ingest",
        "fleet",
        "quarantine",
        "broker",
        "access",
    }
    code, found = examine(millpond, "--only", "scheduler", "--strict", **settings)
    assert (code, set(found)) == (1, {"scheduler"})


def test_a_setting_whose_name_is_misspelled_is_told_and_others_are_left_alone(millpond: Run) -> None:
    others = {"MILLPOND_TEST_DSN": "x", "MILLPOND_TOKEN": "x", "MILLPOND_DATABASE_PASSWORD": "x"}
    _, found = examine(millpond, "--only", "settings", **others)
    assert found["settings"] == ("✓", "they can be read.")
    _, found = examine(millpond, "--only", "settings", MILLPOND_READING_KEEP_DAY="3", **others)
    wrong = "MILLPOND_READING_KEEP_DAY is no setting, and nothing reads it: write MILLPOND_READING_KEEP_DAYS."
    assert found["settings"] == ("!", wrong)


def beat_now(conn: WriteConnection) -> None:
    row = conn.execute("select clock_timestamp()").fetchone()
    assert row is not None
    insert = (
        "insert into ingest_consumer (consumer, epoch, connected, in_flight, lag_s, beat_at) values (%s,1,true,0,0,%s)"
    )
    conn.execute(insert, ["test", row[0]])


def test_without_any_setting_each_is_asked_for(millpond: Run) -> None:
    code, found = examine(millpond)
    assert code == 1
    assert {check for check, (mark, _) in found.items() if mark == "✗"} == {"secret", "database", "broker"}
    assert all(f"MILLPOND_{name} is not set" in str(found) for name in ("JWT_SECRET", "DATABASE_URL", "BROKER_URL"))


def test_a_setting_that_is_wrong_and_a_secret_that_is_short(millpond: Run) -> None:
    code, found = examine(millpond, MILLPOND_HTTP_PORT="eighty")
    assert (code, set(found)) == (1, {"settings"})
    code, found = examine(millpond, "--only", "secret", MILLPOND_JWT_SECRET="short")
    assert code == 1
    assert "MILLPOND_JWT_SECRET is too short: set it to" in found["secret"][1]


def test_servers_that_are_away(millpond: Run) -> None:
    port = free_port()
    database, broker = f"postgresql://u:hush@127.0.0.1:{port}/x", f"mqtt://u:hush@127.0.0.1:{port}"
    done = millpond("doctor", MILLPOND_DATABASE_URL=database, MILLPOND_BROKER_URL=broker, MILLPOND_JWT_SECRET=SECRET)
    assert done.returncode == 1
    assert done.stderr.strip() == "millpond: not well: database, broker"
    assert "cannot be reached" in done.stdout
    assert "hush" not in done.stdout


def test_a_database_without_our_schema(millpond: Run, server_dsn: str) -> None:
    name = f"millpond_bare_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            dsn = make_conninfo(server_dsn, dbname=name)
            code, found = examine(millpond, "--only", "scheduler", MILLPOND_DATABASE_URL=dsn)
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
    assert (code, set(found)) == (1, {"schema"})
    assert found["schema"][1].endswith("run `millpond migrate`.")


TOLD = (
    "create schema told; set local search_path = public, told, pg_catalog; create view told.pg_available_extensions as"
)


@pytest.mark.parametrize(
    ("loaded", "version", "change"),
    [
        (False, "2.28.3", "add timescaledb to shared_preload_libraries in postgresql.conf and restart PostgreSQL"),
        (True, "2.17.2", "upgrade it to 2.23 or newer"),
        (True, "2.28.3", "run `millpond migrate` as a role that may create extensions"),
    ],
)
def test_timescale_that_is_offered_and_not_in_use(
    conn: WriteConnection, loaded: bool, version: str, change: str
) -> None:
    conn.execute(f"{TOLD} select 'timescaledb' as name, '{version}' as default_version")
    conn.execute("create view told.pg_extension as select null as extname, null as extversion where false")
    settings = f"create view told.pg_settings as select 'timescaledb.disable_load' as name where {loaded}"
    conn.execute(settings)
    for required, level in ((True, Level.BAD), (False, Level.WARNING)):
        finding = check_timescale(conn, required=required)
        assert (finding.level, finding.change) == (level, change)


def test_timescale_that_is_not_offered(conn: WriteConnection) -> None:
    conn.execute(f"{TOLD} select '' as name, '' as default_version where false")
    conn.execute("create view told.pg_extension as select null as extname, null as extversion where false")
    finding = check_timescale(conn, required=True)
    assert (finding.level, finding.sentence) == (Level.BAD, "it is required and the server does not offer it")
    assert check_timescale(conn, required=False).level is Level.GOOD


JOBS = """
    create view told.database_job as
    select name, interval '1 hour' as period, clock_timestamp() - ago as succeeded_at, failed, 'no\nportal' as error
    from (values ('compress', interval '2 days', true), ('refresh', null, true), ('wait', '4 hours', false),
                 ('hiccup', '2 hours', true), ('fine', '10 minutes', false), ('new', null, false), ('next', null, null)
    ) as told (name, ago, failed)
"""


def test_what_the_database_does_by_itself_and_does_not_do_for_long_is_told(conn: WriteConnection) -> None:
    assert list(check_database_jobs(conn)) == []
    conn.execute("create schema told; set local search_path = told, public")
    conn.execute(JOBS)
    findings = list(check_database_jobs(conn))
    assert [(f.check, f.level) for f in findings] == [("timescaledb", Level.BAD)] * 3
    compress, refresh, wait = (f.sentence for f in findings)
    assert re.fullmatch(r"its background job compress fails, it last succeeded [-\d]+ [:\d]+: no portal", compress)
    assert refresh == "its background job refresh fails, it has never succeeded: no portal"
    assert re.fullmatch(r"its background job wait does not run, it last succeeded [-\d]+ [:\d]+", wait)
    assert [f.change for f in findings] == [findings[0].change, findings[0].change, findings[2].change]
    assert "job_errors" in findings[0].change
    assert "max_background_workers" in findings[2].change


@pytest.fixture
def stranger(database: str) -> Iterator[ReadConnection]:
    """A connection of a role that owns nothing."""
    role = f"stranger_{uuid.uuid4().hex[:8]}"
    with connect(database) as admin:
        admin.execute(sql.SQL("create role {} login password 'p'").format(sql.Identifier(role)))
        with connect(make_conninfo(database, user=role, password="p")) as conn:
            yield conn
        admin.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(role)))


def test_a_role_that_may_not_write(stranger: ReadConnection, database: str) -> None:
    assert check_permissions(stranger).level is Level.BAD
    with connect(database) as admin:
        grant = sql.SQL("grant select, insert on all tables in schema public to {}")
        admin.execute(grant.format(sql.Identifier(stranger.info.user)))
    finding = check_permissions(stranger)
    assert finding.level is Level.WARNING
    assert "may not create tables" in finding.sentence


def test_a_session_that_takes_no_writes(conn: WriteConnection) -> None:
    assert check_permissions(conn).level is Level.GOOD
    conn.execute("set local transaction_read_only = on")
    assert check_permissions(conn).sentence == "the server takes no writes"


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, Level.GOOD), (10, Level.WARNING), (-10, Level.WARNING), (3600, Level.BAD)]
)
def test_clocks_that_disagree(conn: WriteConnection, seconds: int, level: Level) -> None:
    conn.execute("create schema skewed; set local search_path = skewed, pg_catalog")
    body = f"select pg_catalog.clock_timestamp() + interval '{seconds} s'"
    conn.execute(f"create function skewed.clock_timestamp() returns timestamptz language sql as $$ {body} $$")
    finding = check_skew(conn)
    assert finding.level is level
    assert ("ahead of" if seconds > 0 else "behind" if seconds < 0 else "agree") in finding.sentence


def test_an_ingest_that_fell_silent(millpond: Run, database: str) -> None:
    code, found = examine(millpond, "--only", "ingest", MILLPOND_DATABASE_URL=database)
    assert (code, found["ingest"][0]) == (0, "!")
    with connect(database) as conn:
        beat_now(conn)
        conn.execute("update ingest_consumer set beat_at = beat_at - interval '1 hour'")
    code, found = examine(millpond, "--only", "ingest", MILLPOND_DATABASE_URL=database)
    assert (code, found["ingest"][0]) == (1, "✗")
    assert "gave no sign of life for 3,6" in found["ingest"][1]


def test_an_ingest_that_keeps_what_the_database_refuses(millpond: Run, database: str) -> None:
    with connect(database) as conn:
        beat(conn, "one", epoch=1, connected=True, in_flight=4, lag_s=0.0, trouble="4 messages: division by zero")
    code, found = examine(millpond, "--only", "ingest", MILLPOND_DATABASE_URL=database)
    assert (code, found["ingest"][0]) == (1, "✗")
    assert "4 messages: division by zero" in found["ingest"][1]


OF_CUSTOMERS = ("score_customers", "segments", "dam_days", "erasures")


def scheduler(conn: WriteConnection) -> Finding:
    """As seen at AT: the day's jobs are due since midnight, the offers too."""
    return check_scheduler(conn, load_settings(), StillClock(AT))


def run(conn: WriteConnection, job: str, since: timedelta, *, lease: timedelta = timedelta(minutes=1)) -> None:
    claim = claim_run(conn, job, AT - since, holder="me", at=AT, lease=lease)
    assert claim is not None
    if lease > timedelta():
        finish_run(conn, claim, at=AT, summary={})


def test_a_scheduler_whose_jobs_have_run_is_well(conn: WriteConnection) -> None:
    for job in ("forecast", "late_data", "offers", "intervals", "release_commissions", "retention", *OF_CUSTOMERS):
        run(conn, job, MIDNIGHT)
    assert scheduler(conn).level is Level.GOOD


def test_a_job_that_is_overdue(conn: WriteConnection) -> None:
    run(conn, "forecast", MIDNIGHT)
    run(conn, "late_data", MIDNIGHT)
    run(conn, "offers", MIDNIGHT + ONE)
    finding = scheduler(conn)
    assert finding.level is Level.BAD
    assert "offers last ran for 2026-02-28T23:00:00+00:00, 2026-03-01T00:00:00+00:00 is overdue" in finding.sentence


def test_a_job_that_was_left_half_way(conn: WriteConnection) -> None:
    run(conn, "forecast", MIDNIGHT, lease=timedelta(seconds=-1))
    assert scheduler(conn).sentence == "job forecast was left half-way"


def test_what_waits_behind_a_running_job_is_not_late(conn: WriteConnection) -> None:
    assert claim_run(conn, "forecast", AT - MIDNIGHT, holder="me", at=AT) is not None
    run(conn, "offers", MIDNIGHT + ONE)
    assert scheduler(conn).sentence == "a job is running."


def test_a_job_that_failed(conn: WriteConnection) -> None:
    claim = claim_run(conn, "forecast", AT - MIDNIGHT, holder="me", at=AT)
    assert claim is not None
    fail_run(conn, claim, at=AT, error="ValueError: no")
    assert scheduler(conn).sentence == "job forecast failed: ValueError: no"
