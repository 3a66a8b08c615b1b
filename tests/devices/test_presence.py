"""Whether a device is there: its connection as it says itself, and apart from that whether it speaks."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.nouns import Device
from devices.presence.states import (
    Connection,
    Presence,
    Reporting,
    learn_intervals,
    select_devices_present,
    select_presence,
)
from devices.store import upsert_device_status
from millpond.kernel.db import WriteConnection
from tests.forecasting.fleet_in_database import add_device, add_readings

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def device(conn: WriteConnection) -> Device:
    return add_device(conn, "AIR-1", "reed-air-2", AT - 60 * DAY)


def says(conn: WriteConnection, device: Device, state: str, session: str, at: datetime) -> None:
    upsert_device_status(conn, device.device_id, state=state, session=session, at=at)


def hears(conn: WriteConnection, device: Device, *, until: datetime, step: timedelta, days: int = 20) -> None:
    """Readings up to a moment, at each of which they came."""
    count = days * DAY // step
    add_readings(conn, device, "filter_used_h", [float(n) for n in range(count)], until - (count - 1) * step, step=step)


def seen(conn: WriteConnection, device: Device, at: datetime = AT) -> Presence:
    return select_presence(conn, device.device_id, at)


def test_of_a_device_that_said_nothing_nothing_is_known(conn: WriteConnection, device: Device) -> None:
    assert seen(conn, device) == Presence(Connection.UNKNOWN, None, Reporting.NEVER_HEARD, None, None)


def test_a_device_may_be_connected_and_quiet_or_speak_and_say_nothing_of_it(
    conn: WriteConnection, device: Device
) -> None:
    says(conn, device, "online", "s1", AT - HOUR)
    assert (seen(conn, device).connection, seen(conn, device).reporting) == (Connection.ONLINE, Reporting.NEVER_HEARD)
    other = add_device(conn, "AIR-2", "reed-air-2", AT - 60 * DAY)
    hears(conn, other, until=AT - HOUR, step=HOUR)
    assert (seen(conn, other).connection, seen(conn, other).reporting) == (Connection.UNKNOWN, Reporting.REPORTING)


def test_quiet_is_beyond_three_of_its_own_intervals(conn: WriteConnection, device: Device) -> None:
    hears(conn, device, until=AT, step=HOUR)
    assert learn_intervals(conn, AT) == 1
    assert seen(conn, device).interval_s == pytest.approx(3600, rel=0.05)
    assert seen(conn, device, AT + 2 * HOUR).reporting is Reporting.REPORTING
    assert seen(conn, device, AT + 4 * HOUR).reporting is Reporting.QUIET


def test_a_device_without_an_interval_is_quiet_after_two_days(conn: WriteConnection, device: Device) -> None:
    hears(conn, device, until=AT, step=HOUR, days=1)
    assert seen(conn, device, AT + 47 * HOUR).reporting is Reporting.REPORTING
    assert seen(conn, device, AT + 49 * HOUR).reporting is Reporting.QUIET


def test_an_offline_of_an_older_session_is_not_believed(conn: WriteConnection, device: Device) -> None:
    says(conn, device, "online", "s1", AT - 3 * HOUR)
    says(conn, device, "online", "s2", AT - 2 * HOUR)
    says(conn, device, "offline", "s1", AT - HOUR)
    assert seen(conn, device).connection is Connection.ONLINE


def test_a_will_that_comes_late_is_not_believed_once_the_device_spoke_again(
    conn: WriteConnection, device: Device
) -> None:
    says(conn, device, "online", "s1", AT - 3 * HOUR)
    says(conn, device, "offline", "s1", AT - HOUR)
    assert seen(conn, device).connection is Connection.OFFLINE
    hears(conn, device, until=AT - HOUR / 2, step=HOUR)
    assert (seen(conn, device).connection, seen(conn, device).connection_since) == (Connection.ONLINE, AT - HOUR / 2)
    says(conn, device, "offline", "s2", AT)
    assert seen(conn, device).connection is Connection.ONLINE, "it is another session's"


def test_nothing_is_seen_of_before_it_was_its_owners(conn: WriteConnection, device: Device) -> None:
    says(conn, device, "online", "s1", AT - 3 * HOUR)
    hears(conn, device, until=AT - 3 * HOUR, step=HOUR)
    now = select_presence(conn, device.device_id, AT, since=AT - HOUR)
    assert (now.connection, now.reporting, now.heard_at) == (Connection.UNKNOWN, Reporting.NEVER_HEARD, None)


def test_devices_are_listed_by_how_they_are_there(conn: WriteConnection, device: Device) -> None:
    quiet = add_device(conn, "AIR-2", "reed-air-2", AT - 60 * DAY)
    hears(conn, quiet, until=AT - 5 * DAY, step=HOUR)
    says(conn, quiet, "online", "s1", AT - 5 * DAY)
    for connection, reporting, serials in (
        (None, "quiet", ["AIR-2"]),
        (None, "never_heard", ["AIR-1"]),
        ("online", None, ["AIR-2"]),
        ("unknown", "never_heard", ["AIR-1"]),
        ("offline", None, []),
    ):
        found = select_devices_present(conn, AT, connection=connection, reporting=reporting)
        assert [each.serial for each in found] == serials


def test_an_interval_that_is_no_more_is_forgotten(conn: WriteConnection, device: Device) -> None:
    hears(conn, device, until=AT, step=HOUR)
    learn_intervals(conn, AT)
    conn.execute("delete from reading")
    conn.execute("delete from reading_day_kept")
    assert learn_intervals(conn, AT) == 0
    assert seen(conn, device).interval_s is None
