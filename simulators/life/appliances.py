"""What an appliance does in each hour of a household's life: what it consumes, and what its sensors see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millpond.kernel.errors import InvalidInput
from simulators.life.chance import FloatArray, IntArray, draw, make_key, normals, uniforms
from simulators.life.climate import local_days, local_hours, outdoor_pm25, warmth, weekdays
from simulators.life.households import Household

_LITRES_A_PERSON_DAY = 5.4


@dataclass(frozen=True, slots=True)
class Activity:
    """One value an hour. `flows` are what the hour consumes, by unit (`h`, `litres`, `m2`); every part wears by them.

    `counters` are flows that a lifetime counter of that name adds up; `seen` are momentary values by metric.
    """

    flows: dict[str, FloatArray]
    counters: dict[str, FloatArray]
    seen: dict[str, NDArray[Any]]


def live_through(category: str, household: Household, serial: str, hours: IntArray) -> Activity:
    """What an appliance of `category` does in those hours; InvalidInput for a category nobody modelled."""
    return activity_of(category)(household, make_key(household.seed, serial), hours)


def activity_of(category: str) -> Callable[[Household, int, IntArray], Activity]:
    """The model of a category; InvalidInput for a category nobody modelled."""
    if category not in _CATEGORIES:
        raise InvalidInput(f"category {category!r} is not simulated: choose one of {', '.join(_CATEGORIES)}")
    return _CATEGORIES[category]


def typical_flow_a_day(category: str) -> float:
    """Hours of wear on a typical day: turns a life in days into a hidden capacity when a profile gives none."""
    return {"air_purifier": 3500 / 180, "robot_vacuum": 0.75}.get(category, 24.0)


def filter_water(tds_in_ppm: FloatArray, worn: dict[str, FloatArray]) -> FloatArray:
    """Dissolved solids behind the filter: a new cartridge lets 4 % through, one at its capacity 14 %."""
    return np.asarray(np.round(tds_in_ppm * (0.04 + 0.10 * np.max(list(worn.values()), axis=0)), 0))


def _purify_air(household: Household, key: int, hours: IntArray) -> Activity:
    presence = household.presence(hours)
    clock = local_hours(household.region, hours)
    asleep = household.is_asleep(hours)
    cooking = 25 * presence * ((clock >= 18) & (clock <= 19)) * uniforms(key ^ 1, hours)
    pm25 = outdoor_pm25(household.seed, household.region, hours) * (0.45 + 0.2 * draw(key, "leaks")) + cooking
    power = ~household.is_away(hours) & (household.always_on | (presence > 0.25))
    effort = 1 + np.searchsorted([12.0, 22.0, 40.0, 75.0], pm25, side="right")
    level = np.where(asleep, 1, effort) * power
    # A filter hour is an hour of the fan, weighted by the air it moved, the dust in it, and what people stir up.
    load = np.clip(0.42 + 0.09 * level + 0.006 * pm25 + 0.25 * presence, 0, 1.6)
    indoors = pm25 * np.where(power, 0.55, 1.0)
    moods = np.where(asleep, 1, np.where(uniforms(key ^ 2, local_days(household.region, hours)) < 0.1, 2, 0))
    mode = np.array(["auto", "sleep", "favourite", "off"])[np.where(power, moods, 3)]
    seen: dict[str, NDArray[Any]] = {
        "pm25_ugm3": np.round(indoors, 1),
        "fan_level": level,
        "mode": mode,
        "power": power,
    }
    return Activity({"h": household.pace_at(hours) * 0.92 * load * power}, {}, seen)


def _watch_tv(household: Household, key: int, hours: IntArray) -> Activity:
    clock = local_hours(household.region, hours)
    prime = np.interp(clock, [0, 1, 6, 8, 17, 20, 22, 24], [0.35, 0, 0, 0.25, 0.2, 0.9, 0.9, 0.35])
    weekend = np.where(weekdays(household.region, hours) >= 5, 1.35, 1.0)
    wish = prime * weekend * (1.15 - 0.3 * warmth(hours)) * household.pace_at(hours) * household.presence(hours)
    share = np.clip(wish - 0.5 + uniforms(key ^ 1, hours), 0, 1)
    share[(share < 0.15) | household.is_asleep(hours)] = 0
    power = share > uniforms(key ^ 2, hours)
    source = np.array(["tv", "hdmi1", "hdmi2", "app"])[(4 * uniforms(key ^ 3, hours // 3)).astype(int)]
    seen: dict[str, NDArray[Any]] = {"power": power, "input": source}
    return Activity({"h": share}, {"on_time_h": share}, seen)


def _clean_floor(household: Household, key: int, hours: IntArray) -> Activity:
    days = local_days(household.region, hours)
    weekend = weekdays(household.region, hours) >= 5
    start = np.where(weekend, 11, 10 + int(4 * draw(key, "start")))
    eager = 0.75 + 0.2 * draw(key, "eager")
    runs = (uniforms(key ^ 1, days) < np.where(weekend, min(1.0, eager + 0.1), eager)) & ~household.is_away(hours)
    # A home's size and its people's dirt set how long a run takes; summer's open windows add to it.
    size = 0.7 + 0.35 * draw(key, "home") + 0.06 * household.people_at(hours)
    full = household.pace_at(hours) * size * (0.9 + 0.2 * warmth(hours))
    length = np.clip(full * (1 + 0.12 * normals(key ^ 2, days)), 0.2, 2.8)
    since = local_hours(household.region, hours) - start
    run_h = np.where(runs & (since >= 0), np.clip(length - since, 0, 1), 0.0)
    state = np.array(["docked", "cleaning"])[(run_h > uniforms(key ^ 3, hours)).astype(int)]
    area = run_h * 52
    seen: dict[str, NDArray[Any]] = {"state": state}
    return Activity({"h": run_h, "m2": area}, {"cleaned_area_m2": area}, seen)


def _purify_water(household: Household, key: int, hours: IntArray) -> Activity:
    clock = local_hours(household.region, hours)
    meals = np.interp(clock, [0, 5, 7, 9, 12, 14, 18, 20, 24], [0.1, 0.1, 2.2, 1, 1.8, 1, 2.6, 1.5, 0.1])
    season = 0.8 + 0.4 * warmth(hours)
    thirst = np.clip(1 + 0.3 * normals(key ^ 1, hours), 0.1, None)
    a_person = _LITRES_A_PERSON_DAY / 20 * meals * season * thirst * household.presence(hours)
    litres = household.pace_at(hours) * household.people_at(hours) * a_person
    hardness = 90 + 120 * draw(household.seed, household.region.name, "hardness") + 8 * normals(key ^ 2, hours // 24)
    return Activity({"litres": litres, "h": np.ones(len(hours))}, {}, {"tds_in_ppm": np.round(hardness, 0)})


_CATEGORIES: dict[str, Callable[[Household, int, IntArray], Activity]] = {
    "air_purifier": _purify_air,
    "tv": _watch_tv,
    "robot_vacuum": _clean_floor,
    "water_purifier": _purify_water,
}
