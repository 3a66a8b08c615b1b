"""`millpond doctor` on what comes in: a silent fleet, a growing quarantine, an ingest that is behind, a late job."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.registry import register_device
from devices.store import select_metrics
from ingest.health import check_health
from millpond.cli.database_checks import check_scheduler
from millpond.cli.findings import Finding, Level
from millpond.cli.telemetry_checks import check_ingest, check_telemetry
from millpond.kernel.clock import StillClock
from millpond.kernel.db import WriteConnection
from millpond.kernel.jobs import claim_run
from millpond.kernel.settings import load_settings

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def find(conn: WriteConnection, check: str) -> Finding:
    return next(finding for finding in check_telemetry(conn, AT) if finding.check == check)


def hear_of(conn: WriteConnection, serial: str, at: datetime) -> None:
    device = register_device(
        conn, serial=serial, model="reed-tv-55", customer_id=None, installed_at=AT - 90 * DAY, at=at
    )
    metric = next(iter(select_metrics(conn)["reed-tv-55"].values()))
    store_readings(conn, columns_of([Reading(device.device_id, metric.metric_id, at, 1.0, None, at, False)]))


def count(conn: WriteConnection, *, received: int, quarantined: int, at: datetime) -> None:
    conn.execute(
        "insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined)"
        " values ('c', date_trunc('minute', %s::timestamptz), %s, %s, %s, 0, 0, %s)",
        [at, received, received, received - quarantined, quarantined],
    )


def test_a_fleet_that_has_fallen_silent_is_a_warning(conn: WriteConnection) -> None:
    assert find(conn, "fleet").sentence == "no device is registered yet."
    register_device(conn, serial="TV-0", model="reed-tv-55", customer_id=None, installed_at=AT - DAY, at=AT - DAY)
    never = find(conn, "fleet")
    assert (never.level, never.sentence) == (Level.WARNING, "none of 1 devices was heard of ever")
    hear_of(conn, "TV-1", AT - 2 * DAY)
    silent = find(conn, "fleet")
    assert silent.level is Level.WARNING
    assert silent.sentence == "none of 2 devices was heard of since 2026-02-27T12:30:00+00:00"
    assert "reach the broker" in silent.change
    hear_of(conn, "TV-2", AT - HOUR)
    assert find(conn, "fleet").level is Level.GOOD
    assert find(conn, "fleet").sentence == "1 of 3 devices were heard of in the last day."


def test_a_growing_quarantine_is_a_warning_with_its_commonest_reason(conn: WriteConnection) -> None:
    assert find(conn, "quarantine").level is Level.GOOD
    count(conn, received=10_000, quarantined=800, at=AT - 3 * DAY)
    assert find(conn, "quarantine").level is Level.GOOD, "that is over"
    count(conn, received=10_000, quarantined=10, at=AT - 2 * HOUR)
    assert find(conn, "quarantine").sentence == "10 of 10,000 items of the last day were refused."
    count(conn, received=1_000, quarantined=799, at=AT - HOUR)
    conn.execute(
        "insert into quarantined_message (digest, topic, payload, size_bytes, received_at) values (%s, 't', '', 0, %s)",
        [b"d" * 32, AT - HOUR],
    )
    for item, code in enumerate(("malformed", "unknown_serial", "unknown_serial")):
        conn.execute(
            "insert into quarantine (digest, item, serial, code, reason, received_at) values (%s, %s, %s, %s, 'r', %s)",
            [b"d" * 32, str(item), f"S-{item}", code, AT - HOUR],
        )
    found = find(conn, "quarantine")
    assert found.level is Level.WARNING
    assert found.sentence == (
        "809 of 11,000 items of the last day were refused, most of them as unknown_serial, of 2 serials"
    )
    assert "/ops/quarantine" in found.change


@pytest.fixture
def behind(conn: WriteConnection) -> WriteConnection:
    conn.execute(
        "insert into ingest_consumer (consumer, epoch, connected, in_flight, lag_s, beat_at)"
        " values ('ingest-1', 1, true, 0, 75, clock_timestamp())"
    )
    return conn


def test_an_ingest_that_is_behind_is_told_by_the_rule_of_the_readiness_page(behind: WriteConnection) -> None:
    finding, health = check_ingest(behind, 30), check_health(behind, 30)
    assert finding.level is Level.BAD
    assert finding.sentence == health.sentence == "ingest-1 is behind: messages wait 75 s to be stored"
    assert "the database is busy or slow" in finding.change


def test_a_job_that_runs_longer_than_its_period_is_a_warning(conn: WriteConnection) -> None:
    started = AT - DAY - 2 * HOUR
    claim = claim_run(conn, "forecast", started.replace(hour=0, minute=0), holder="me", at=started, lease=DAY * 9999)
    assert claim is not None
    finding = check_scheduler(conn, load_settings(), StillClock(AT))
    assert finding.level is Level.WARNING
    assert finding.sentence == f"job forecast has been running since {started.isoformat()}, longer than its period"


def test_the_doctor_says_when_more_is_refused_than_somebody_wants_to_sleep_through(conn: WriteConnection) -> None:
    conn.execute(
        "insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined)"
        " values ('c', %s, 90000, 100000, 99950, 0, 0, 50)",
        [AT - timedelta(minutes=9)],
    )
    [quiet] = [one for one in check_telemetry(conn, AT, 51) if one.check == "quarantine"]
    [loud] = [one for one in check_telemetry(conn, AT, 50) if one.check == "quarantine"]
    assert (quiet.level, loud.level) == (Level.GOOD, Level.WARNING)
    assert loud.sentence == "50 items were refused in the last hour"


def test_the_doctor_says_who_waits_in_the_lobby_and_when_it_is_half_full(conn: WriteConnection) -> None:
    for name in ("A", "B"):
        conn.execute(
            "insert into lobby (name, lobby_id, format, identity, by_serial, first_heard_at, last_heard_at, topic,"
            " messages) values (%(name)s, %(name)s, 'millpond-v1', %(name)s, true, %(at)s, %(at)s, 't', 3)",
            {"name": name, "at": AT},
        )
    [_, some] = [one for one in check_telemetry(conn, AT, devices_max=5) if one.check == "fleet"]
    [_, half] = [one for one in check_telemetry(conn, AT, devices_max=4) if one.check == "fleet"]
    assert (some.level, half.level) == (Level.GOOD, Level.WARNING)
    assert half.sentence == "2 devices speak that nobody registered, 6 of their messages wait"
