"""Completeness, as people are told: what came of each day."""

from collections.abc import Sequence
from datetime import datetime

from api.models import Out
from devices.completeness import DayHeard, usual_interval


class DayHeardOut(Out):
    """A day in UTC. `expected` and `share` (0 to 1) are null where the device reports in no interval of its own."""

    day: datetime
    received: int
    expected: int | None
    share: float | None


class CompletenessOut(Out):
    """Samples by day, oldest first. `interval_s` is the device's own, null when it has none."""

    serial: str
    interval_s: float | None
    days: list[DayHeardOut]


def show_completeness(serial: str, days: Sequence[DayHeard]) -> CompletenessOut:
    """The days of one device."""
    interval = usual_interval(days)
    return CompletenessOut(
        serial=serial,
        interval_s=round(interval.total_seconds(), 1) if interval else None,
        days=[DayHeardOut.model_validate(day) for day in days],
    )
