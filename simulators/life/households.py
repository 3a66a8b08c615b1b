"""Households that do not exist: who is at home when, when they travel, and how they treat a worn part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import exp

import numpy as np
from numpy.typing import NDArray

from simulators.life.chance import FloatArray, IntArray, draw, draw_normal, make_key, normals
from simulators.life.climate import Region, local_days, local_hours, weekdays

_CHORE_HOUR = 19
# Share of the people at home by local hour, at 0, 6, 8, ... o'clock; the rest is interpolated.
_TURNS = [0, 6, 8, 10, 16, 19, 22, 24]
_WORKING = [1, 1, 0.45, 0.1, 0.2, 0.75, 0.95, 1]
_HOMELY = [1, 1, 0.8, 0.65, 0.7, 0.9, 1, 1]
_WEEKEND = [0.95, 1, 0.95, 0.75, 0.6, 0.75, 0.9, 0.95]


class Habit(StrEnum):
    """When a household replaces a part: at about 10 % remaining, well before, weeks after, or never.

    `CHEAP` replaces on time, with a filter of another maker that has no tag for the device to read.
    """

    ON_TIME = "on_time"
    EARLY = "early"
    LATE = "late"
    NEVER = "never"
    CHEAP = "cheap"


DEFAULT_HABITS: dict[Habit, float] = {Habit.ON_TIME: 12, Habit.LATE: 6, Habit.EARLY: 2}


@dataclass(frozen=True, slots=True)
class Lives:
    """How the households of a fleet differ: weights of their habits, and what happens to some between two moments.

    `level_shifts` is the share of households whose use changes for good, by a half up or a third down; `new_users` the
    share that one more person joins.
    """

    habits: Mapping[Habit, float] = field(default_factory=lambda: DEFAULT_HABITS)
    level_shifts: float = 0.0
    new_users: float = 0.0
    between: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """From that hour on (since 1970) a household uses `pace` times as much and has so many more people."""

    hour: int
    pace: float = 1.0
    people: int = 0


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
    changes: tuple[Change, ...] = ()

    def pace_at(self, hours: IntArray) -> FloatArray:
        """The pace in each hour."""
        pace = np.full(len(hours), self.pace)
        for change in self.changes:
            pace[hours >= change.hour] *= change.pace
        return pace

    def people_at(self, hours: IntArray) -> IntArray:
        """How many people live there in each hour."""
        people = np.full(len(hours), self.people, dtype=np.int64)
        for change in self.changes:
            people[hours >= change.hour] += change.people
        return people

    def is_asleep(self, hours: IntArray) -> NDArray[np.bool_]:
        """Whether the household sleeps: from 22, 23 or 24 o'clock to 5, 6 or 7, on weekend mornings two hours more."""
        bed, wake = 22 + int(3 * draw(self._key("bed"))), 5 + int(3 * draw(self._key("wake")))
        clock = local_hours(self.region, hours)
        lie_in = 2 * (weekdays(self.region, hours) >= 5)
        return np.asarray((clock >= bed) | (clock < wake + lie_in))

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

    def replacement_hour(self, part_key: int, cycle: int, due: int) -> int | None:
        """The hour of the replacement that became due in the hour `due`: after some days, one evening at home.

        None for a household that never replaces anything.
        """
        if self.habit is Habit.NEVER:
            return None
        days = {Habit.EARLY: (0, 2), Habit.LATE: (10, 25)}.get(self.habit, (1, 6))
        earliest = due + 1 + int(24 * (days[0] + days[1] * draw(part_key, "delay", cycle)))
        hours = np.arange(earliest, earliest + 24 * 40, dtype=np.int64)
        evenings = (local_hours(self.region, hours) == _CHORE_HOUR) & ~self.is_away(hours)
        return int(hours[np.argmax(evenings)])

    def _key(self, what: str) -> int:
        return make_key(self.seed, self.external_key, what)


def make_household(external_key: str, region: Region, seed: int, lives: Lives | None = None) -> Household:
    """The household that `seed` holds under that key: two to five people, three in five replace on time."""
    led = lives or Lives()

    def chance(what: str) -> float:
        return draw(seed, external_key, what)

    return Household(
        external_key=external_key,
        seed=seed,
        region=region,
        people=2 + int(4 * chance("people")),
        homely=chance("homely"),
        pace=exp(0.14 * draw_normal(seed, external_key, "pace")),
        always_on=chance("always on") < 0.6,
        habit=_choose(led.habits, chance("habit")),
        changes=tuple(_changes(external_key, seed, led)),
    )


def _choose(habits: Mapping[Habit, float], share: float) -> Habit:
    """The habit that covers that share of the weights' sum."""
    left = share * sum(habits.values())
    for habit, weight in habits.items():
        left -= weight
        if left < 0:
            return habit
    return next(iter(habits))


def _changes(external_key: str, seed: int, lives: Lives) -> Iterator[Change]:
    if lives.between is None:
        return
    begin, end = (int(moment.timestamp()) // 3600 for moment in lives.between)

    def hour(what: str) -> int:
        return begin + int((0.2 + 0.6 * draw(seed, external_key, what, "when")) * (end - begin))

    if draw(seed, external_key, "level shift") < lives.level_shifts:
        yield Change(hour("level shift"), pace=1.5 if draw(seed, external_key, "more") < 0.5 else 0.67)
    if draw(seed, external_key, "new user") < lives.new_users:
        yield Change(hour("new user"), people=1, pace=1.15)


def _year_of(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + 1970
