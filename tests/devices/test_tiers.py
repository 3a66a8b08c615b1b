"""Hours, days and days of states: the same on every database, also where readings come late or are gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from devices.nouns import Reading
from devices.readings import select_bucketed_series
from devices.retention import devices_endings, drop_old_readings
from devices.tiers.late import forget_late_days, select_rolled_days
from devices.tiers.rollup import refresh_tiers
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.migrate import migrate
from millpond.kernel.retention import count_old_rows, end_old_rows
from millpond.kernel.settings import load_settings
from tests.devices.tier_world import AT, DAY, HOUR, hours, hours_of, make_readings, store
from tests.old_database import OLD_AT, old_database

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def own(database: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction, to a database of the test's own."""
    with connect(database) as conn:
        yield conn


@pytest.fixture
def readings(own: WriteConnection) -> list[Reading]:
    """Three an hour for three days up to AT, and a cartridge that was changed at noon the day before."""
    return make_readings(own)


def test_hours_are_the_same_before_and_after_they_are_rolled_up(own: WriteConnection, readings: list[Reading]) -> None:
    assert hours(own) == hours_of(readings)
    refresh_tiers(own)
    assert hours(own) == hours_of(readings)


def test_days_of_states_say_what_each_day_began_and_ended_with(own: WriteConnection, readings: list[Reading]) -> None:
    query = "select day, first_state, last_state, min_state, max_state, readings from state_day order by day"
    first = (AT - 3 * DAY).replace(hour=0)
    expected = [
        (first, "old", "old", "old", "old", 35),
        (first + DAY, "old", "old", "old", "old", 72),
        (first + 2 * DAY, "old", "new", "new", "old", 72),
        (first + 3 * DAY, "new", "new", "new", "new", 37),
    ]
    assert own.execute(query).fetchall() == expected
    refresh_tiers(own)
    assert own.execute(query).fetchall() == expected


def test_what_comes_late_marks_its_day_and_is_rolled_up_with_it(own: WriteConnection, readings: list[Reading]) -> None:
    refresh_tiers(own)
    late = replace(readings[-1], measured_at=readings[-1].measured_at + timedelta(minutes=1), value=1.0)
    store(own, [late])
    assert select_rolled_days(own) == []
    refresh_tiers(own)
    assert hours(own) == hours_of([*readings, late])
    assert select_rolled_days(own) == [(late.device_id, late.measured_at.replace(hour=0, minute=0))]


def test_what_comes_in_time_marks_nothing(own: WriteConnection, readings: list[Reading]) -> None:
    refresh_tiers(own)
    store(own, [replace(readings[0], measured_at=AT + HOUR)], at=AT + HOUR)
    # Yesterday's last sample, just after midnight, is in no rollup yet.
    store(own, [replace(readings[0], measured_at=AT + 11 * HOUR)], at=AT + 13 * HOUR)
    assert own.execute("select * from reading_late").fetchall() == []


def test_a_late_day_that_got_more_meanwhile_is_not_forgotten(own: WriteConnection, readings: list[Reading]) -> None:
    refresh_tiers(own)
    late = replace(readings[-1], measured_at=readings[-1].measured_at + timedelta(minutes=1), value=1.0)
    store(own, [late])
    refresh_tiers(own)
    days = select_rolled_days(own)
    store(own, [replace(late, measured_at=late.measured_at + timedelta(minutes=1))])
    forget_late_days(own, days)
    refresh_tiers(own)
    assert select_rolled_days(own) == days
    forget_late_days(own, days)
    assert select_rolled_days(own) == []


def test_hours_stay_when_their_readings_are_dropped(own: WriteConnection, readings: list[Reading]) -> None:
    store(own, [replace(readings[0], measured_at=AT + 80 * DAY)], at=AT + 80 * DAY)
    refresh_tiers(own)
    before = hours(own)
    assert drop_old_readings(own, AT + 79 * DAY) >= 2 * len(readings)
    assert own.execute("select count(*) from reading").fetchone() == (1,)
    assert hours(own) == before
    refresh_tiers(own)
    assert hours(own) == before


def test_each_tier_goes_after_its_own_days(own: WriteConnection, readings: list[Reading]) -> None:
    newest = AT + 400 * DAY
    store(own, [replace(readings[0], measured_at=newest)], at=newest)
    drop_old_readings(own, newest - 100 * DAY)
    settings = load_settings(hour_keep_days=200, day_keep_days=0)
    endings = [ending for ending in devices_endings(settings) if ending.table.endswith("_kept")]
    due = {ending.table: count_old_rows(own, ending, newest) for ending in endings}
    assert due == {"reading_hour_kept": 72 + 1, "reading_day_kept": 0, "state_day_kept": 0}
    gone = {ending.table: end_old_rows(own, ending, newest) for ending in endings}
    assert gone == due
    assert hours(own)[0][0] == newest.replace(minute=0)
    assert own.execute("select count(*) from reading_day").fetchone() == (5,)


SPANS = [
    (AT - 3 * DAY, AT),
    (AT - 2 * DAY - timedelta(minutes=50), AT - timedelta(minutes=50)),
    (AT - timedelta(minutes=90), AT - timedelta(minutes=70)),
    ((AT - 2 * DAY).replace(hour=0), AT.replace(hour=0)),
]


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("bucket", [HOUR, 6 * HOUR, DAY, 2 * DAY])
@pytest.mark.parametrize("rolled", [False, True])
def test_buckets_say_the_same_whatever_tier_they_are_made_of(
    own: WriteConnection, readings: list[Reading], span: tuple[datetime, datetime], bucket: timedelta, rolled: bool
) -> None:
    if rolled:
        refresh_tiers(own)
    device_id, metric_id = readings[0].device_id, readings[0].metric_id
    within = [r for r in readings if span[0] <= r.measured_at < span[1]]
    expected: dict[datetime, list[float]] = {}
    for one in sorted(within, key=lambda r: r.measured_at):
        assert one.value is not None
        expected.setdefault(one.measured_at - (one.measured_at - EPOCH) % bucket, []).append(one.value)
    found = select_bucketed_series(own, device_id, metric_id, *span, bucket, 1000)
    told: list[tuple[object, ...]] = [(b.at, b.value, b.min_value, b.max_value, b.readings) for b in found]
    assert told == [(at, pytest.approx(mean(some)), min(some), max(some), len(some)) for at, some in expected.items()]


@pytest.mark.parametrize("bucket", [HOUR, DAY])
def test_buckets_stay_when_their_readings_are_gone(
    own: WriteConnection, readings: list[Reading], bucket: timedelta
) -> None:
    store(own, [replace(readings[0], measured_at=AT + 80 * DAY)], at=AT + 80 * DAY)
    device_id, metric_id = readings[0].device_id, readings[0].metric_id
    span = (AT - 2 * DAY - timedelta(minutes=50), AT + 90 * DAY)
    before = select_bucketed_series(own, device_id, metric_id, *span, bucket, 1000)
    drop_old_readings(own, AT + 79 * DAY)
    after = select_bucketed_series(own, device_id, metric_id, *span, bucket, 1000)
    assert after[1:] == before[1:]
    # The unit in which the span begins counts whole: what of it was before cannot be told any more.
    assert (after[0].at, after[0].readings > before[0].readings) == (before[0].at, True)


def test_an_old_database_comes_along_with_its_days(server_dsn: str) -> None:
    days = "select * from reading_day where device_id = 1 order by day"
    with old_database(server_dsn, "0190", "0006") as conn:
        prepare = (
            "insert into device_model (model, name, category) values ('m', '{}', 'c')",
            "insert into metric (model, name, kind, unit) values ('m', 'n', 'number', ''), ('m', 's', 'state', '')",
            "insert into device (serial, model, installed_at, registered_at) values ('D', 'm', '2025-01-01', 'now')",
        )
        for statement in prepare:
            conn.execute(statement)
        conn.execute(
            "insert into reading (device_id, metric_id, measured_at, value, state, received_at)"
            " select 1, m, t, case m when 1 then extract(hour from t) end, case m when 2 then 'on' end, t"
            " from generate_series(%s::timestamptz, %s, interval '7 hours') t, generate_series(1, 2) m",
            [OLD_AT - 200 * DAY, OLD_AT],
        )
        conn.execute("insert into reading_latest select 1, 1, max(measured_at), 1, null, max(received_at) from reading")
        while conn.execute("select drop_oldest_readings(%s)", [OLD_AT - 100 * DAY]).fetchone() != (None,):
            pass
        before = conn.execute(days).fetchall()
        migrate(conn, at=OLD_AT)
        assert conn.execute(days).fetchall() == before
        refresh_tiers(conn)
        assert conn.execute(days).fetchall() == before
        assert drop_old_readings(conn, OLD_AT - 60 * DAY) > 0
        refresh_tiers(conn)
        assert conn.execute(days).fetchall() == before
        [(first_hour, states)] = conn.execute(
            "select (select min(hour) from reading_hour), count(*) from state_day where min_state = 'on'"
        )
        live = [row[0] for row in conn.execute("select live_from from reading_horizon")]
        # Hours and states begin with the readings that were still there.
        assert OLD_AT - 110 * DAY < first_hour < live[0]
        assert states > 90
