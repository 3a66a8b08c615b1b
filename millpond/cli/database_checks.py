"""The doctor's look at the database: is it there, is it ours, may we write, and do the services live?"""

from collections.abc import Container
from datetime import timedelta

import psycopg

from millpond.cli.findings import Finding, Findings, Level, bad, good, warning
from millpond.cli.telemetry_checks import check_ingest, check_telemetry
from millpond.kernel.clock import Clock, SystemClock, floor_to_period
from millpond.kernel.db import ReadConnection, connect, load_queries
from millpond.kernel.migrate import pending_migrations
from millpond.kernel.settings import Settings
from millpond.kernel.timescale import look_for_timescale

_Q = load_queries("millpond.cli")
_OLDEST, _NEWEST = 15, 18
_SKEW_WARNING, _SKEW_BAD = timedelta(seconds=1), timedelta(seconds=30)
_LATE = timedelta(seconds=60)


def check_database(settings: Settings, wanted: Container[str]) -> Findings:
    """What a connection tells of `wanted`; and why there is none, or why it can tell no more."""
    try:
        with connect(settings.database_url.get_secret_value(), application="millpond-doctor") as conn:
            for finding in _examine(conn, settings, wanted):
                if finding.check in wanted or (finding.check == "schema" and finding.level is Level.BAD):
                    yield finding
    except psycopg.OperationalError as error:
        change = "start it, or correct MILLPOND_DATABASE_URL (postgresql://user:password@host:5432/name)"
        yield bad("database", f"it does not answer: {' '.join(str(error).split())}", change)
    except psycopg.Error as error:
        yield bad("database", f"it refuses to be looked at: {error.diag.message_primary}", "give this role its rights")


def _examine(conn: ReadConnection, settings: Settings, wanted: Container[str]) -> Findings:
    yield _check_version(conn.info.server_version // 10_000)
    yield check_timescale(conn, required=settings.require_timescale)
    yield check_skew(conn)
    yield check_permissions(conn)
    pending = pending_migrations(conn)
    yield _check_schema(pending)
    if not pending:
        yield from check_database_jobs(conn)
    if not pending and "ingest" in wanted:
        yield check_ingest(conn, settings.status_grace_s)
    if not pending and "scheduler" in wanted:
        yield check_scheduler(conn, settings, settings.make_clock())
    if not pending:
        yield from check_telemetry(
            conn, settings.make_clock().now(), settings.quarantine_alarm_items_per_h, settings.lobby_devices_max
        )


def _check_version(version: int) -> Finding:
    answers = f"PostgreSQL {version} answers"
    if version < _OLDEST:
        return bad("database", answers, f"upgrade it: {_OLDEST} or newer is needed")
    if version > _NEWEST:
        return warning("database", f"{answers}, which Millpond was not tested with", f"use {_OLDEST} to {_NEWEST}")
    return good("database", f"{answers}.")


def check_timescale(conn: ReadConnection, *, required: bool) -> Finding:
    """Is TimescaleDB there where it must be, and can it be used where it is?"""
    found = look_for_timescale(conn)
    if found.fault is not None:
        level = bad if required or found.installed else warning
        return level("timescaledb", *found.fault)
    if found.installed:
        return good("timescaledb", f"version {found.installed} is installed.")
    if found.offered:
        level = bad if required else warning
        change = "run `millpond migrate` as a role that may create extensions"
        return level("timescaledb", "the server offers it and it is not installed", change)
    if required:
        change = "install it on the server, or set MILLPOND_REQUIRE_TIMESCALE=false"
        return bad("timescaledb", "it is required and the server does not offer it", change)
    return good("timescaledb", "the server does not offer it, and it is not required.")


def check_database_jobs(conn: ReadConnection) -> Findings:
    """What the database should do by itself (TimescaleDB: compress, refresh the rollup) and does not do."""
    for name, failed, succeeded_at, error in conn.execute(_Q["select_database_jobs"]):
        last = "it has never succeeded" if succeeded_at is None else f"it last succeeded {succeeded_at:%Y-%m-%d %H:%M}"
        if failed:
            sentence = f"its background job {name} fails, {last}: {' '.join((error or 'no error is kept').split())}"
            change = "see timescaledb_information.job_errors, and mend it or upgrade TimescaleDB"
        else:
            sentence = f"its background job {name} does not run, {last}"
            change = "raise max_worker_processes and TimescaleDB's max_background_workers, and restart PostgreSQL"
        yield bad("timescaledb", sentence, change)


def _check_schema(pending: list[str]) -> Finding:
    if pending:
        missing = f"{len(pending)} migrations are missing, the first is {pending[0]}"
        return bad("schema", missing, "run `millpond migrate`")
    return good("schema", "it is current.")


def check_permissions(conn: ReadConnection) -> Finding:
    """May this role write, and create what `migrate` and `import` create?"""
    row = conn.execute(_Q["select_may_create"]).fetchone()
    creates, temporary, writes = row if row else (False, False, False)
    if not writes:
        return bad("permissions", "the server takes no writes", "point MILLPOND_DATABASE_URL at the primary server")
    if closed := [name for (name,) in conn.execute(_Q["select_closed_tables"])]:
        named = f"this role may not read and write {len(closed)} tables, the first is {closed[0]}"
        return bad("permissions", named, "grant select, insert, update, delete on all tables in the schema to it")
    if not creates:
        change = "grant create on the schema to it, or migrate as another role"
        return warning("permissions", "this role may not create tables, as `millpond migrate` must", change)
    if not temporary:
        change = "grant temporary on the database to it"
        return warning("permissions", "this role may not use temporary tables, as `millpond import` must", change)
    return good("permissions", "this role may create and write.")


def check_skew(conn: ReadConnection) -> Finding:
    """Do the two machines agree on the time, as far as the way there and back can tell?"""
    clock = SystemClock()
    before = clock.now()
    row = conn.execute(_Q["select_clock"]).fetchone()
    after = clock.now()
    assert row is not None
    skew = row[0] - (before + (after - before) / 2)
    off = max(timedelta(), abs(skew) - (after - before) / 2)
    where = "ahead of" if skew > timedelta() else "behind"
    if off > _SKEW_WARNING:
        level = bad if off > _SKEW_BAD else warning
        sentence = f"the database's clock is {off.total_seconds():.1f} s {where} this machine's"
        return level("clock", sentence, "run a time service (chrony, systemd-timesyncd) on both machines")
    return good("clock", "this machine's and the database's agree within a second.")


def check_scheduler(conn: ReadConnection, settings: Settings, clock: Clock) -> Finding:
    """The truth about the scheduler is the table of what ran: is any job's present period overdue?"""
    from millpond.scheduler import make_jobs

    running = False
    for job in make_jobs(settings, clock):
        due = floor_to_period(clock.now(), job.period)
        run = conn.execute(_Q["select_newest_run"], {"job": job.name}).fetchone()
        if run is None and not running:
            return warning("scheduler", f"job {job.name} has never run", "start `millpond schedule`")
        scheduled_for, state, error, abandoned, started_at = run or (None, None, None, False, None)
        if state == "failed":
            return bad("scheduler", f"job {job.name} failed: {error}", "see the scheduler's log; it will try again")
        if abandoned:
            return bad("scheduler", f"job {job.name} was left half-way", "start `millpond schedule`")
        if state == "running" and clock.now() - started_at > job.period:
            sentence = f"job {job.name} has been running since {started_at.isoformat()}, longer than its period"
            return warning("scheduler", sentence, "see the scheduler's log and what the database is busy with")
        # Jobs take turns: what waits behind a running one is not late.
        running = running or state == "running"
        if not running and scheduled_for < due and clock.now() - due > _LATE:
            sentence = f"job {job.name} last ran for {scheduled_for.isoformat()}, {due.isoformat()} is overdue"
            return bad("scheduler", sentence, "start `millpond schedule`")
    return good("scheduler", "a job is running." if running else "every job has run for its present period.")
