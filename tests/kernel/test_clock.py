"""Clocks and periods."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from millpond.kernel.clock import AcceleratedClock, StillClock, SystemClock, floor_to_period, parse_clock, require_aware
from millpond.kernel.errors import InvalidInput

AT = datetime(2026, 3, 1, 12, 34, tzinfo=UTC)


def test_an_accelerated_clock_runs_faster_from_its_origin() -> None:
    started = SystemClock().now() - timedelta(seconds=10)
    clock = AcceleratedClock(AT, started, 3600)
    assert timedelta(hours=10) <= clock.now() - AT < timedelta(hours=30)


def test_a_clock_can_be_handed_to_another_process_as_text() -> None:
    assert parse_clock(f"{AT.isoformat()}@{AT.isoformat()}*600") == AcceleratedClock(AT, AT, 600.0)


def test_a_still_clock_goes_on_when_it_is_set_and_never_back() -> None:
    clock = StillClock(AT)
    clock.at += timedelta(hours=1)
    assert clock.now() == AT + timedelta(hours=1)
    with pytest.raises(InvalidInput, match="time does not go back to 2026-03-01T12:34"):
        clock.at = AT
    assert clock.now() == AT + timedelta(hours=1)


@pytest.mark.parametrize("text", ["", "now", "2026-03-01@x*2", "2026-03-01T00:00:00Z"])
def test_a_clock_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither 'system' nor"):
        parse_clock(text)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        require_aware(datetime(2026, 3, 1))  # noqa: DTZ001  # a naive time is what is tried
    seoul = timezone(timedelta(hours=9))
    assert require_aware(datetime(2026, 3, 1, 9, tzinfo=seoul)) == datetime(2026, 3, 1, tzinfo=UTC)


def test_periods_begin_at_whole_multiples() -> None:
    assert floor_to_period(AT, timedelta(days=1)) == datetime(2026, 3, 1, tzinfo=UTC)
    assert floor_to_period(AT, timedelta(hours=1)) == datetime(2026, 3, 1, 12, tzinfo=UTC)
