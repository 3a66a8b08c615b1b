"""Households that do not exist: who is at home when, when they travel, and how they treat a worn part."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp

import numpy as np
from numpy.typing import NDArray

from simulators.chance import FloatArray, IntArray, draw, draw_normal, make_key, normals
from simulators.climate import Region, local_days, local_hours, weekdays

_CHORE_HOUR = 19
# Share of the people at home by local hour, at 0, 6, 8, ... o'clock; the rest is interpolated.
_TURNS = [0, 6, 8, 10, 16, 19, 22, 24]
_WORKING = [1, 1, 0.45, 0.1, 0.2, 0.75, 0.95, 1]
_HOMELY = [1, 1, 0.8, 0.65, 0.7, 0.9, 1, 1]
_WEEKEND = [0.95, 1, 0.95, 0.75, 0.6, 0.75, 0.9, 0.95]


class Habit(StrEnum):
    """When a household replaces a part: at about 10 % remaining, well before, or weeks after."""

    ON_TIME = "on_time"
    EARLY = "early"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Household:
    """`pace` multiplies use (1 is typical); `homely` is 0 for people who work out, 1 for people always in.

    `external_key` is how the household's customer is known to the platform.
    """

    external_key: str
    seed: int
    region: Region
    people: int
    homely: float
    pace: float
    always_on: bool
    habit: Habit

    def presence(self, hours: IntArray) -> FloatArray:
        """Share of the people at home in each hour, 0 to 1; 0 on vacation."""
        clock = local_hours(self.region, hours)
        working = np.interp(clock, _TURNS, _WORKING) * (1 - self.homely)
        workday = working + np.interp(clock, _TURNS, _HOMELY) * self.homely
        share = np.where(weekdays(self.region, hours) >= 5, np.interp(clock, _TURNS, _WEEKEND), workday)
        mood = 1 + 0.1 * normals(self._key("mood"), local_days(self.region, hours))
        return np.asarray(np.clip(share * mood, 0, 1) * ~self.is_away(hours))

    def is_away(self, hours: IntArray) -> NDArray[np.bool_]:
        """Whether the household is on vacation in each hour."""
        days = local_days(self.region, hours)
        away = np.zeros(len(days), dtype=np.bool_)
        first, last = _year_of(int(days[0])) - 1, _year_of(int(days[-1]))
        for year in range(first, last + 1):
            for begin, end in self.vacations(year):
                away |= (days >= begin) & (days < end)
        return away

    def vacations(self, year: int) -> list[tuple[int, int]]:
        """The year's vacations as half-open ranges of days since 1970: one in summer, for most one in winter."""
        new_year = int(np.datetime64(f"{year}-01-01", "D").astype(int))
        summer = new_year + 190 + int(45 * draw(self._key("summer"), year))
        found = [(summer, summer + 5 + int(9 * draw(self._key("summer length"), year)))]
        if draw(self._key("winter"), year) < 0.6:
            winter = new_year + 10 + int(45 * draw(self._key("winter day"), year))
            found.append((winter, winter + 3 + int(5 * draw(self._key("winter length"), year))))
        return found

    def replacement_level(self, part_key: int, cycle: int) -> float:
        """Percent remaining at which this household decides to replace that part for the `cycle`th time."""
        if self.habit is Habit.EARLY:
            return 14 + 16 * draw(part_key, "level", cycle)
        return 10

    def replacement_hour(self, part_key: int, cycle: int, due: int) -> int:
        """The hour of the replacement that became due in the hour `due`: after some days, one evening at home."""
        days = {Habit.ON_TIME: (1, 6), Habit.EARLY: (0, 2), Habit.LATE: (10, 25)}[self.habit]
        earliest = due + 1 + int(24 * (days[0] + days[1] * draw(part_key, "delay", cycle)))
        hours = np.arange(earliest, earliest + 24 * 40, dtype=np.int64)
        evenings = (local_hours(self.region, hours) == _CHORE_HOUR) & ~self.is_away(hours)
        return int(hours[np.argmax(evenings)])

    def _key(self, what: str) -> int:
        return make_key(self.seed, self.external_key, what)


def make_household(external_key: str, region: Region, seed: int) -> Household:
    """The household that `seed` holds under that key: two to five people, three in five replace on time."""

    def chance(what: str) -> float:
        return draw(seed, external_key, what)

    habits = [Habit.ON_TIME] * 12 + [Habit.LATE] * 6 + [Habit.EARLY] * 2
    return Household(
        external_key=external_key,
        seed=seed,
        region=region,
        people=2 + int(4 * chance("people")),
        homely=chance("homely"),
        pace=exp(0.14 * draw_normal(seed, external_key, "pace")),
        always_on=chance("always on") < 0.6,
        habit=habits[int(len(habits) * chance("habit"))],
    )


def _year_of(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + 1970
