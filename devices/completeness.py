"""How much of what a device should have sent came, day by day: what came against its own usual day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import DeviceId

_Q = load_queries("devices")
DAY = timedelta(days=1)
# A usual day is nearly the fullest of so many: days with losses do not lower it, and a new interval counts soon.
_LOOKED_BACK = timedelta(days=28)
_USUAL = 0.9
_REGULAR, _REGULAR_DAYS = 0.8, 0.5
# Less of a day says too little of the whole.
_PART_OF_A_DAY = 0.2


@dataclass(frozen=True, slots=True)
class DayHeard:
    """How many samples of a device came of the day (UTC) that begins at `day`.

    `expected` is how many its own interval makes, of the part of the day that counts: from its first reading on, and of
    a day that is not over up to now. None for a device that does not report in an interval, such as one that speaks
    only while it works.
    """

    day: datetime
    received: int
    expected: int | None

    @property
    def share(self) -> float | None:
        """What came of what was expected, 0 to 1; None when nothing is expected."""
        return min(1.0, self.received / self.expected) if self.expected else None


def read_completeness(
    conn: ReadConnection, device_id: DeviceId, from_at: datetime, to_at: datetime, at: datetime
) -> list[DayHeard]:
    """Each day of [from_at, to_at) since the device's first reading in or shortly before it, oldest first."""
    first_day, end = _begin_of_day(from_at), min(to_at, at)
    values = {"device_id": device_id, "from_at": first_day - _LOOKED_BACK, "to_at": end}
    counted = conn.execute(_Q["select_days_heard"], values).fetchall()
    if not counted:
        return []
    begins_at = min(first_at for _, _, first_at in counted)
    return judge_days(
        {day: samples for day, samples, _ in counted}, max(first_day, _begin_of_day(begins_at)), end, begins_at
    )


def judge_days(
    counts: Mapping[datetime, int], from_day: datetime, end: datetime, begins_at: datetime
) -> list[DayHeard]:
    """The days from `from_day` up to `end`, of a device whose first reading was at `begins_at`."""
    parts = {day: (min(day + DAY, end) - max(day, begins_at)) / DAY for day in counts}
    whole = {day: count / parts[day] for day, count in counts.items() if parts[day] >= _PART_OF_A_DAY}
    days = []
    day = from_day
    while day < end:
        usual = _usual([count for other, count in whole.items() if day - _LOOKED_BACK < other <= day])
        part = (min(day + DAY, end) - max(day, begins_at)) / DAY
        days.append(DayHeard(day, counts.get(day, 0), None if usual is None else int(usual * part)))
        day += DAY
    return days


def usual_interval(days: Sequence[DayHeard]) -> timedelta | None:
    """The device's own interval: what the fullest of its whole days says; None when it has none."""
    expected = [heard.expected for heard in days[1:-1] if heard.expected]
    return DAY / expected[-1] if expected else None


def _usual(counts: Sequence[float]) -> float | None:
    """How many samples a usual day has; None when the days that have any differ too much."""
    if not counts:
        return None
    usual = sorted(counts)[ceil(_USUAL * (len(counts) - 1))]
    like_it = sum(count >= _REGULAR * usual for count in counts)
    return usual if like_it >= _REGULAR_DAYS * len(counts) else None


def _begin_of_day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
