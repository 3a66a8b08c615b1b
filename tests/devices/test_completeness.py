"""Completeness: what came of a day against the device's own usual day."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.completeness import DAY, DayHeard, judge_days, read_completeness, usual_interval
from devices.nouns import Reading
from devices.registry import register_device
from devices.store import select_metrics
from millpond.kernel.db import WriteConnection

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)


def shares(counts: Sequence[int | None], **ends: datetime) -> list[float | None]:
    """What is told of whole days that had so many samples, None where nothing came."""
    by_day = {BEGIN + n * DAY: count for n, count in enumerate(counts) if count is not None}
    end = ends.get("end", BEGIN + len(counts) * DAY)
    return [one.share for one in judge_days(by_day, BEGIN, end, ends.get("begins_at", BEGIN))]


def test_a_day_with_losses_is_told_by_what_is_missing_of_it() -> None:
    assert shares([96, 96, 48, 96]) == [1, 1, 0.5, 1]


def test_a_day_of_silence_is_not_complete() -> None:
    assert shares([96, 96, None, 96])[2] == 0


def test_the_first_day_and_today_count_for_as_long_as_they_are() -> None:
    told = shares([48, 96, 24], begins_at=BEGIN + DAY / 2, end=BEGIN + 2.25 * DAY)
    assert told == [1, 1, 1]


def test_a_device_that_speaks_only_while_it_works_is_expected_nothing_of() -> None:
    assert set(shares([60, 5, None, 12, 7, 90, 30, 4])[3:]) == {None}


def test_a_new_interval_does_not_make_the_days_before_it_incomplete() -> None:
    told = shares([96] * 20 + [288] * 20)
    assert told[:20] == [1] * 20
    assert told[-1] == 1


def test_more_than_the_usual_is_complete_and_no_more() -> None:
    assert shares([96, 96, 97])[-1] == 1


def test_the_interval_is_that_of_the_usual_day() -> None:
    days = [DayHeard(BEGIN + n * DAY, 96, 96) for n in range(3)]
    assert usual_interval(days) == timedelta(minutes=15)
    assert usual_interval(days[:1]) is None


def test_what_was_stored_is_counted_by_the_metric_that_is_said_most(conn: WriteConnection) -> None:
    device = register_device(conn, serial="AIR-1", model="reed-air-2", installed_at=BEGIN, at=BEGIN)
    metrics = select_metrics(conn)["reed-air-2"]
    at = [BEGIN + n * timedelta(hours=1) for n in range(72) if n not in range(30, 42)]
    readings = [Reading(device.device_id, metrics["pm25_ugm3"].metric_id, one, 1.0, None, one, False) for one in at]
    rarely = metrics["filter_life_pct"].metric_id
    readings += [Reading(device.device_id, rarely, one, 64.0, None, one, False) for one in at[::6]]
    store_readings(conn, columns_of(readings))
    days = read_completeness(conn, device.device_id, BEGIN, BEGIN + 3 * DAY, BEGIN + 3 * DAY)
    assert [(one.received, one.expected, one.share) for one in days] == [(24, 24, 1), (12, 24, 0.5), (24, 24, 1)]


def test_nothing_is_told_of_a_device_that_never_spoke(conn: WriteConnection) -> None:
    device = register_device(conn, serial="AIR-1", model="reed-air-2", installed_at=BEGIN, at=BEGIN)
    assert read_completeness(conn, device.device_id, BEGIN, BEGIN + DAY, BEGIN + DAY) == []
