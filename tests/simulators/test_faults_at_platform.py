"""What each fault does to a real platform: nothing is lost, what is bad is kept aside, and no filter is invented."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.parts.installations import update_installations
from devices.tiers.rollup import refresh_tiers
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect
from simulators.life.households import Habit, Lives
from simulators.runs.connected import ConnectedFleet
from simulators.runs.fleet import Fleet, FleetPlan, build_fleet
from simulators.runs.summary import FleetSummary
from simulators.wire.faults import Faults
from tests.simulators.real_platform import RealPlatform

DAYS = 6
NEVER = Lives({Habit.NEVER: 1})


def live(
    platform: RealPlatform,
    seed: int,
    faults: dict[str, float],
    *,
    mix: dict[str, float] | None = None,
    devices: int = 6,
    live: bool = False,
    interval: timedelta = timedelta(hours=1),
) -> tuple[Fleet, FleetSummary]:
    """A small fleet lives six days up to yesterday with those faults; everything it said was acknowledged."""
    now = SystemClock().now()
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 1)
    fleet = build_fleet(
        FleetPlan(
            devices=devices,
            seed=seed,
            start=start,
            history_days=DAYS,
            interval=interval,
            mix=mix or {"reed-air-2": 1},
            faults=Faults(**faults),
            lives=NEVER,
        )
    )
    platform.register(fleet)
    with ConnectedFleet(fleet, platform.broker) as run:
        step = timedelta(hours=1) if faults.get("offline") else timedelta(days=1)
        run.replay(start + timedelta(days=DAYS), step=step, live_since=start if live else None, resend_after_s=5)
        summary = run.summary()
    assert (summary.unacked, summary.unsent, summary.dropped, summary.readings_unacked) == (0, 0, 0, 0)
    assert all(summary.faults[fault] > 0 for fault in faults)
    return fleet, summary


def stored(platform: RealPlatform, fleet: Fleet, *, corrected: bool | None = None) -> int:
    query = (
        "select count(*) from reading join device using (device_id) where serial = any(%s)"
        " and corrected = coalesce(%s::boolean, corrected)"
    )
    return int(platform.fetch(query, [device.serial for device in fleet.devices], corrected)[0][0])


def quarantined(platform: RealPlatform, fleet: Fleet) -> dict[str, int]:
    query = "select code, count(*) from quarantine where serial = any(%s) group by code"
    return dict(platform.fetch(query, [device.serial for device in fleet.devices]))


def count_replacements(platform: RealPlatform, fleet: Fleet) -> int:
    with connect(platform.dsn) as conn:
        refresh_tiers(conn)
        update_installations(conn, fleet.start + timedelta(days=DAYS))
    query = (
        "select count(*) from installation join device using (device_id)"
        " where serial = any(%s) and ended_at is not null"
    )
    return int(platform.fetch(query, [device.serial for device in fleet.devices])[0][0])


@pytest.mark.parametrize(("seed", "fault"), [(401, "duplicates"), (402, "reordering")])
def test_what_comes_twice_or_late_is_stored_once(seed: int, fault: str, real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, seed, {fault: 0.2}, devices=2, live=True)
    assert stored(real_platform, fleet) == summary.readings
    assert quarantined(real_platform, fleet) == {}


@pytest.mark.parametrize(
    ("seed", "fault", "rate", "code", "beside"),
    [
        (411, "malformed", 0.1, "malformed", set()),
        (412, "truncated", 0.1, "malformed", set()),
        # Of a message that is no JSON the parts that cannot be read are named too.
        (413, "corrupt", 0.1, "malformed", {"unreadable", "unknown_metric"}),
        (414, "nan", 0.1, "not_finite", set()),
        (415, "oversized", 0.02, "too_large", set()),
    ],
)
def test_a_bad_copy_is_kept_in_quarantine_and_costs_no_reading(
    seed: int, fault: str, rate: float, code: str, beside: set[str], real_platform: RealPlatform
) -> None:
    fleet, summary = live(real_platform, seed, {fault: rate}, devices=2, live=True)
    assert stored(real_platform, fleet) == summary.readings
    found = quarantined(real_platform, fleet)
    assert found.pop(code) == summary.faults[fault]
    assert set(found) == beside


def test_hours_offline_end_in_a_burst_of_backfill_and_leave_no_gap(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 461, {"offline": 1}, live=True, devices=3)
    assert summary.messages_published < 0.9 * summary.samples
    assert stored(real_platform, fleet) == summary.readings
    serials = [device.serial for device in fleet.devices]
    assert real_platform.fetch("select count(*) from sequence_gap where serial = any(%s)", serials) == [(0,)]


@pytest.mark.parametrize(("seed", "fault"), [(471, "clock_1970"), (472, "clock_2099"), (473, "clock_missing")])
def test_a_clock_that_cannot_be_right_is_corrected_and_marked(
    seed: int, fault: str, real_platform: RealPlatform
) -> None:
    fleet, summary = live(real_platform, seed, {fault: 1}, devices=2)
    assert stored(real_platform, fleet, corrected=False) == 0
    assert stored(real_platform, fleet) == summary.readings


def test_a_drifting_clock_loses_nothing(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 481, {"clock_drift": 1}, devices=2)
    assert stored(real_platform, fleet) == summary.readings
    assert stored(real_platform, fleet, corrected=False) > 0


def test_the_hour_that_summer_time_tells_twice_is_stored_once_and_kept_aside_once(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 482, {"clock_summer_time": 1}, devices=2)
    serials = [device.serial for device in fleet.devices]
    [(conflicts,)] = real_platform.fetch(
        "select count(*) from reading_conflict join device using (device_id) where serial = any(%s)", serials
    )
    twice = summary.readings - stored(real_platform, fleet)
    assert 0 < twice <= 2 * summary.readings / summary.samples
    assert 0 < conflicts <= twice  # what was equal in both hours is a duplicate and not a conflict
    assert quarantined(real_platform, fleet) == {}


def test_every_restart_of_a_boot_loop_is_a_boot_of_its_own_without_gaps(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 491, {"boot_loops": 1}, devices=2, live=True)
    serials = [device.serial for device in fleet.devices]
    boots = real_platform.fetch("select count(*) from sequence where serial = any(%s)", serials)
    assert boots == [(summary.faults["boot_loops"] + len(serials),)]
    assert real_platform.fetch("select count(*) from sequence_gap where serial = any(%s)", serials) == [(0,)]
    assert stored(real_platform, fleet) == summary.readings


def test_a_firmware_that_tells_minutes_is_quarantined_as_a_wrong_unit(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 492, {"unit_change": 0.5}, mix={"generic-purifier-hours": 1}, devices=4)
    assert quarantined(real_platform, fleet) == {"wrong_unit": summary.faults["unit_change"]}
    assert stored(real_platform, fleet) == summary.readings - summary.faults["unit_change"]


@pytest.mark.parametrize(
    ("seed", "model"),
    [(501, "reed-air-2"), (502, "generic-purifier-hours"), (503, "generic-purifier-pct"), (504, "reed-water-1")],
)
def test_a_filter_that_is_taken_out_and_put_back_is_no_new_filter(
    seed: int, model: str, real_platform: RealPlatform
) -> None:
    fleet, summary = live(real_platform, seed, {"reseated": 0.05}, mix={model: 1})
    assert stored(real_platform, fleet) == summary.readings
    assert count_replacements(real_platform, fleet) == 0


def test_a_counter_that_runs_backwards_for_a_moment_is_no_new_filter(real_platform: RealPlatform) -> None:
    fleet, _ = live(real_platform, 531, {"counter_backwards": 0.1}, mix={"generic-purifier-hours": 1, "reed-vac-s": 1})
    assert count_replacements(real_platform, fleet) == 0


def test_a_filters_counter_that_begins_at_zero_for_good_is_taken_for_a_new_filter(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 532, {"counter_reset": 1}, mix={"reed-water-1": 1}, devices=3)
    assert stored(real_platform, fleet) == summary.readings
    assert count_replacements(real_platform, fleet) == summary.faults["counter_reset"] == 3


def test_a_counter_that_begins_at_zero_while_the_percentage_goes_on_is_no_new_filter(
    real_platform: RealPlatform,
) -> None:
    fleet, _ = live(real_platform, 532, {"counter_reset": 1}, mix={"generic-purifier-hours": 1}, devices=3)
    assert count_replacements(real_platform, fleet) == 0


def test_a_chatty_device_is_stored_in_full_and_the_others_with_it(real_platform: RealPlatform) -> None:
    fleet, summary = live(real_platform, 541, {"chatty": 0.25}, devices=4, interval=timedelta(hours=6), live=True)
    counts = sorted(device.samples_measured for device in fleet.devices)
    assert counts == [24, 24, 24, 480]
    assert stored(real_platform, fleet) == summary.readings


def test_a_will_of_an_earlier_session_does_not_make_a_device_offline(real_platform: RealPlatform) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    fleet = build_fleet(FleetPlan(devices=3, seed=551, start=start, history_days=1, faults=Faults(late_will=1)))
    real_platform.register(fleet)
    serials = [device.serial for device in fleet.devices]
    query = "select state from device_status join device using (device_id) where serial = any(%s)"
    with ConnectedFleet(fleet, real_platform.broker) as run:
        run.replay(start + timedelta(days=1), live_since=start)
        # Statuses go before the readings on the same lane: those are acknowledged, so these were taken in.
        assert run.summary().unacked == 0
        assert real_platform.fetch(query, serials) == [("online",)] * 3
    assert run.summary().faults == {"late_will": 3}


def test_a_strike_is_the_same_whatever_the_steps() -> None:
    faults: dict[str, Any] = {"boot_loops": 0.5, "reseated": 0.05, "counter_backwards": 0.05, "clock_drift": 0.5}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    said = []
    for hours in (7, 24):
        fleet = build_fleet(FleetPlan(devices=4, seed=1, start=start, history_days=10, faults=Faults(**faults)))
        for hour in range(0, 240 + hours, hours):
            for device in fleet.devices:
                device.advance(min(start + timedelta(hours=hour), start + timedelta(days=10)))
        said.append([message.payload for device in fleet.devices for message in _drain(device)])
    assert said[0] == said[1]


def _drain(device: Any) -> list[Any]:
    messages = []
    while message := device.next_message(None):
        messages.append(message)
    return messages
