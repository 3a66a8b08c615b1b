"""What the charts show, as plain numbers: times in epoch seconds, series aligned on them, None for no value."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.reads.households import HouseholdPart, Remaining
from api.reads.incoming import IngestMinute
from api.told.dam import DayOut
from attribution.statements.nouns import StatementLine
from segments.nouns import Size

Series = list[float | None]


def build_forecast_chart(history: Sequence[Remaining], part: HouseholdPart, at: datetime) -> dict[str, Any]:
    """What was measured of a part, and where P10, P50 and P90 lead from there, straight to the threshold and below.

    Series, in order: measured, P50, and the band's lower (P10) and upper (P90) edge. All in percent.
    """
    begin = _begin_of_projection(history, part, at)
    marks = _projection_marks(part, begin[0]) if begin else []
    times = [row.last_at for row in history] + marks
    measured: Series = [round(row.remaining_pct, 2) for row in history]
    before: Series = [None] * len(history)
    after: Series = [None] * len(marks)
    dates = (part.depletes_p50, part.depletes_p10, part.depletes_p90)
    projected = [before + _project(begin, crosses, part.threshold_pct, marks) for crosses in dates]
    return {
        "x": [round(time.timestamp()) for time in times],
        "series": [measured + after, *projected],
        "threshold": part.threshold_pct,
        "now": round(at.timestamp()),
    }


def _begin_of_projection(
    history: Sequence[Remaining], part: HouseholdPart, at: datetime
) -> tuple[datetime, float] | None:
    """Where the lines into the future begin: at the last measurement, as long as a P10 lies after it."""
    if part.depletes_p10 is None or (not history and part.remaining_pct is None):
        return None
    remaining = history[-1].remaining_pct if history else part.remaining_pct
    begin = history[-1].last_at if history else part.forecast_at or at
    assert remaining is not None
    return (begin, remaining) if begin < part.depletes_p10 and remaining > part.threshold_pct else None


def _projection_marks(part: HouseholdPart, begin: datetime) -> list[datetime]:
    dates = [each for each in (part.depletes_p10, part.depletes_p50, part.depletes_p90) if each]
    end = dates[-1] + max((dates[-1] - dates[0]) / 4, timedelta(days=3))
    return sorted({*dates, *(begin + (end - begin) * step / 24 for step in range(25))})


def _project(
    begin: tuple[datetime, float] | None, crosses: datetime | None, threshold: float, marks: Sequence[datetime]
) -> Series:
    """A straight line from `begin` that reaches `threshold` when it `crosses`, never below zero."""
    if begin is None or crosses is None:
        return []
    since, remaining = begin
    slope = (remaining - threshold) / (crosses - since).total_seconds()
    return [round(max(0.0, remaining - slope * (mark - since).total_seconds()), 2) for mark in marks]


def build_ingest_chart(minutes: Sequence[IngestMinute]) -> dict[str, Any]:
    """Values per minute: stored, duplicate, set aside (conflict or quarantined)."""
    return {
        "x": [round(row.minute.timestamp()) for row in minutes],
        "series": [
            [row.stored for row in minutes],
            [row.duplicate for row in minutes],
            [row.conflict + row.quarantined for row in minutes],
        ],
    }


def build_dam_chart(days: Sequence[DayOut]) -> dict[str, Any]:
    """Events by the day on which they came: all of them, and those of known customers, drawn over them."""
    return {
        "x": [round(datetime(*day.day.timetuple()[:3], 12, tzinfo=UTC).timestamp()) for day in days],
        "series": [[day.known + day.lost for day in days], [day.known for day in days]],
    }


def build_size_chart(sizes: Sequence[Size]) -> dict[str, Any]:
    """Members of a segment, at each refresh."""
    return {"x": [round(size.at.timestamp()) for size in sizes], "series": [[size.members for size in sizes]]}


def build_statement_chart(
    lines: Sequence[StatementLine], currency: str, begins_at: datetime, ends_at: datetime, scale: int
) -> dict[str, Any]:
    """Commission by day of the month in whole units (minor units / `scale`): earned, and clawed back as negatives."""
    days = [begins_at.date() + timedelta(days=n) for n in range((ends_at.date() - begins_at.date()).days)]
    earned, clawed = dict.fromkeys(days, 0), dict.fromkeys(days, 0)
    for line in lines:
        day = _day_within(line.placed_at.astimezone(begins_at.tzinfo).date(), days)
        if line.amount.currency == currency and day:
            earned[day] += line.earned.amount_minor
            clawed[day] -= line.clawed_back.amount_minor
    return {
        "x": [round(datetime(day.year, day.month, day.day, 12, tzinfo=begins_at.tzinfo).timestamp()) for day in days],
        "series": [[earned[day] / scale for day in days], [clawed[day] / scale for day in days]],
    }


def _day_within(day: date, days: Sequence[date]) -> date | None:
    """An order of an earlier month that moved in this one counts on the first."""
    return None if not days else max(days[0], min(day, days[-1]))
