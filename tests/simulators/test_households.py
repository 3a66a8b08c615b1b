"""How households live: the shapes that a forecast has to find in their readings."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from devices.profile import DeviceProfile, shipped_profiles
from millpond.kernel.errors import InvalidInput
from simulators.life.appliances import live_through
from simulators.life.chance import FloatArray, IntArray
from simulators.life.climate import REGIONS, local_days, local_hours, outdoor_pm25, region_named, weekdays
from simulators.life.households import Change, Habit, Household, Lives, make_household
from simulators.life.physics import Appliance

START = datetime(2025, 1, 1, tzinfo=UTC)
SEOUL = REGIONS["seoul"]
YEAR: IntArray = np.arange(24 * 365, dtype=np.int64) + int(START.timestamp()) // 3600
PROFILES = shipped_profiles()


def _homes(count: int = 30, **changes: Any) -> list[Household]:
    """Households under skies of their own, so that a mean shows the season and not one year's weather."""
    homes = (make_household(f"home-{number}", SEOUL, number) for number in range(count))
    return [replace(home, **changes) for home in homes]


def _daily_use(model: str, metric: str, home: Household, days: int = 365) -> FloatArray:
    """Use per local day of a counter that is never reset within the year."""
    appliance = Appliance(_endless(PROFILES[model]), home, "one", START)
    times = np.arange(days + 1, dtype=np.int64) * 86_400_000 + int(START.timestamp() * 1000) - 9 * 3_600_000
    return np.diff(np.array(appliance.observe(times[1:]).metrics[metric], dtype=np.float64))


def _endless(profile: DeviceProfile) -> DeviceProfile:
    parts = [
        part.model_copy(
            update={
                "limits": [
                    limit.model_copy(update={"capacity": limit.capacity and limit.capacity * 1e3})
                    for limit in part.limits
                ]
            }
        )
        for part in profile.parts
    ]
    return profile.model_copy(update={"parts": parts})


def _mean(series: Iterable[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(list(series), axis=0))


def test_a_draw_does_not_depend_on_what_was_asked_before() -> None:
    whole = outdoor_pm25(3, SEOUL, YEAR)
    assert np.allclose(whole[1000:1100], outdoor_pm25(3, SEOUL, YEAR[1000:1100]), rtol=1e-12)
    assert not np.allclose(whole, outdoor_pm25(4, SEOUL, YEAR))


def test_winter_air_is_dirtier_and_episodes_stand_out() -> None:
    years = np.mean([outdoor_pm25(seed, SEOUL, YEAR) for seed in range(20)], axis=0)
    assert years[24 * 30 : 24 * 90].mean() > 1.4 * years[24 * 200 : 24 * 260].mean()
    one = outdoor_pm25(1, SEOUL, YEAR)
    assert one.max() > 3 * np.median(one)


def test_people_are_at_home_more_on_weekends() -> None:
    presence = _mean(home.presence(YEAR) for home in _homes())
    weekend = weekdays(SEOUL, YEAR) >= 5
    assert presence[weekend].mean() > presence[~weekend].mean() + 0.05


def test_a_saturday_is_known_as_one() -> None:
    hours = np.array([int(datetime(2025, 11, 15, 3, tzinfo=UTC).timestamp()) // 3600], dtype=np.int64)
    assert weekdays(SEOUL, hours).tolist() == [5]


@pytest.mark.parametrize(
    ("model", "metric"),
    [("reed-air-2", "filter_used_h"), ("reed-water-1", "filter_used_litres"), ("reed-tv-55", "on_time_h")],
)
def test_use_on_weekends_differs_from_weekdays(model: str, metric: str) -> None:
    use = _mean(_daily_use(model, metric, home) for home in _homes(always_on=False))
    weekday = (np.arange(len(use)) + 1 + 2) % 7  # 1 January 2025 was a Wednesday; the first difference is of the 2nd
    weekend, workday = use[weekday >= 5].mean(), use[weekday < 5].mean()
    assert weekend > 1.03 * workday


def test_water_is_drunk_in_summer_and_air_is_cleaned_in_the_dirty_season() -> None:
    water = _mean(_daily_use("reed-water-1", "filter_used_litres", home) for home in _homes())
    air = _mean(_daily_use("reed-air-2", "filter_used_h", home) for home in _homes())
    assert water[150:180].mean() > 1.15 * water[60:90].mean()
    assert air[30:90].mean() > 1.05 * air[240:300].mean()


@pytest.mark.parametrize(("model", "metric"), [("reed-air-2", "filter_used_h"), ("reed-vac-s", "filter_used_h")])
def test_a_vacation_lowers_use(model: str, metric: str) -> None:
    [home] = _homes(1)
    use = _daily_use(model, metric, home)
    day_of = local_days(SEOUL, YEAR[::24])[1:-1]
    [begin, end] = home.vacations(2025)[0]
    away = (day_of[: len(use)] >= begin) & (day_of[: len(use)] < end)
    assert away.sum() >= 5
    assert use[: len(away)][away].mean() < 0.1 * use[: len(away)][~away].mean()


def test_most_households_replace_on_time_and_some_late_or_early() -> None:
    habits = [home.habit for home in _homes(200)]
    assert habits.count(Habit.ON_TIME) > 80
    assert habits.count(Habit.LATE) > 20
    assert habits.count(Habit.EARLY) > 5


def test_a_household_sleeps_at_night_and_longer_on_weekends() -> None:
    [home] = _homes(1)
    asleep, clock, weekend = home.is_asleep(YEAR), local_hours(SEOUL, YEAR), weekdays(SEOUL, YEAR) >= 5
    assert asleep[clock == 3].all()
    assert not asleep[(clock >= 10) & (clock < 22)].any()
    assert asleep[weekend].mean() > asleep[~weekend].mean() + 0.05


def test_nobody_watches_tv_asleep_and_the_purifier_is_quiet() -> None:
    [home] = _homes(1, always_on=True)
    asleep = home.is_asleep(YEAR)
    tv = live_through("tv", home, "one", YEAR)
    air = live_through("air_purifier", home, "one", YEAR)
    assert tv.counters["on_time_h"][asleep].sum() == 0
    assert set(air.seen["fan_level"][asleep]) <= {0, 1}
    assert set(air.seen["mode"][asleep]) <= {"sleep", "off"}
    assert air.seen["fan_level"][~asleep].mean() > 1.5


def test_a_filter_ages_faster_at_a_higher_fan_level_and_in_dirtier_air() -> None:
    hours = slice(24 * 30, 24 * 60)
    clean, dirty = (
        live_through("air_purifier", home, "one", YEAR)
        for home in (
            _homes(1, always_on=True, region=replace(SEOUL, pm25_mean=mean, episodes_a_day=0))[0] for mean in (8, 80)
        )
    )
    assert dirty.seen["fan_level"][hours].mean() > 1.5 * clean.seen["fan_level"][hours].mean()
    assert dirty.flows["h"][hours].sum() > 1.3 * clean.flows["h"][hours].sum()


def test_a_level_shift_changes_use_for_good_and_a_new_user_drinks_too() -> None:
    hour = int(YEAR[24 * 180])
    [home] = _homes(1, people=2)
    shifted, joined = replace(home, changes=(Change(hour, pace=1.5),)), replace(home, changes=(Change(hour, people=1),))
    plain, more, third = (
        live_through("water_purifier", h, "one", YEAR).flows["litres"] for h in (home, shifted, joined)
    )
    before, after = slice(0, 24 * 180), slice(24 * 180, None)
    for other in (more, third):
        assert np.array_equal(other[before], plain[before])
        assert np.allclose(other[after], 1.5 * plain[after])


def test_the_mix_of_lives_decides_habits_and_changes() -> None:
    between = (START, START + timedelta(days=100))
    lives = Lives({Habit.NEVER: 1, Habit.CHEAP: 3}, level_shifts=0.5, new_users=0.25, between=between)
    homes = [make_household(f"home-{number}", SEOUL, 1, lives) for number in range(200)]
    habits = [home.habit for home in homes]
    assert 30 < habits.count(Habit.NEVER) < 75
    assert habits.count(Habit.NEVER) + habits.count(Habit.CHEAP) == 200
    assert 75 < sum(any(change.pace in (1.5, 0.67) for change in home.changes) for home in homes) < 125
    assert 30 < sum(any(change.people for change in home.changes) for home in homes) < 75
    hours = [change.hour for home in homes for change in home.changes]
    assert all(between[0].timestamp() < 3600 * hour < between[1].timestamp() for hour in hours)


def test_an_unknown_region_gets_one_sentence() -> None:
    with pytest.raises(InvalidInput, match="region 'atlantis' has no climate here: choose one of seoul"):
        region_named("atlantis")


def test_an_unknown_category_gets_one_sentence() -> None:
    toaster = PROFILES["reed-tv-43"].model_copy(update={"category": "toaster"})
    with pytest.raises(InvalidInput, match="category 'toaster' is not simulated"):
        Appliance(toaster, _homes(1)[0], "one", START + timedelta(days=1))
