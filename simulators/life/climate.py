"""What the air outside is like: a region's seasons and pollution episodes, hour by hour, from a seed.

Hours are whole hours since 1970-01-01T00Z. Every series is a function of (seed, region, hour) alone.
"""

from dataclasses import dataclass

import numpy as np

from millpond.kernel.errors import InvalidInput
from simulators.life.chance import FloatArray, IntArray, make_key, normals, uniforms
from simulators.life.drive import Recording

_DAYS_A_YEAR = 365.2425
_LONGEST_EPISODE_DAYS = 6


@dataclass(frozen=True, slots=True)
class Region:
    """A climate region. PM2.5 in µg/m³; `episodes_a_day` is the chance at the dirtiest time of the year.

    With `recorded`, the air outside is what somebody measured.
    """

    name: str
    utc_offset_h: int
    pm25_mean: float
    season_amplitude: float
    dirtiest_day: float
    episodes_a_day: float
    episode_pm25: float
    recorded: Recording | None = None


REGIONS: dict[str, Region] = {
    region.name: region
    for region in (
        Region("seoul", 9, 22, 0.40, 60, 0.10, 45),
        Region("busan", 9, 17, 0.30, 75, 0.07, 30),
        Region("beijing", 8, 38, 0.45, 15, 0.13, 90),
        Region("shanghai", 8, 30, 0.40, 10, 0.10, 55),
    )
}


def region_named(name: str) -> Region:
    """The climate region of that name; InvalidInput when nobody described it."""
    if name not in REGIONS:
        raise InvalidInput(f"region {name!r} has no climate here: choose one of {', '.join(REGIONS)}")
    return REGIONS[name]


def local_days(region: Region, hours: IntArray) -> IntArray:
    """Local calendar day of each hour, in days since 1970-01-01."""
    return (hours + region.utc_offset_h) // 24


def local_hours(region: Region, hours: IntArray) -> IntArray:
    """Hour of the local day, 0 to 23."""
    return (hours + region.utc_offset_h) % 24


def weekdays(region: Region, hours: IntArray) -> IntArray:
    """Local weekday, Monday 0 to Sunday 6."""
    return (local_days(region, hours) + 3) % 7


def warmth(hours: IntArray) -> FloatArray:
    """0 in the middle of January, 1 in the middle of July (all our regions are north of the equator)."""
    return 0.5 - 0.5 * np.cos(_year_angle(hours / 24, 15))


def outdoor_pm25(seed: int, region: Region, hours: IntArray) -> FloatArray:
    """Outdoor PM2.5 in µg/m³, one value an hour: season × weather × time of day, plus episodes of some days."""
    if region.recorded is not None:
        return region.recorded.at(hours)
    days = np.arange(hours[0] // 24 - 1, hours[-1] // 24 + 3, dtype=np.int64)
    background = np.exp(0.35 * _weather(seed, region, days)) * _season(region, days) * region.pm25_mean
    daily = background + _episodes(seed, region, days)
    hourly = np.interp(hours / 24, days, daily)
    rush = 1 + 0.12 * np.cos(2 * np.pi * (local_hours(region, hours) - 8) / 12)
    flicker = 1 + 0.08 * normals(make_key(seed, "flicker", region.name), hours)
    return np.asarray(np.clip(hourly * rush * flicker, 2, 900))


def _year_angle(days: FloatArray | IntArray, peak_day: float) -> FloatArray:
    return np.asarray(2 * np.pi * (days - peak_day) / _DAYS_A_YEAR)


def _season(region: Region, days: IntArray) -> FloatArray:
    return np.asarray(1 + region.season_amplitude * np.cos(_year_angle(days, region.dirtiest_day)))


def _weather(seed: int, region: Region, days: IntArray) -> FloatArray:
    """A standard normal series with a memory of about three days."""
    key = make_key(seed, "weather", region.name)
    weights = 0.7 ** np.arange(12)
    weights /= np.sqrt((weights**2).sum())
    return np.asarray(sum(weight * normals(key, days - lag) for lag, weight in enumerate(weights)))


def _episodes(seed: int, region: Region, days: IntArray) -> FloatArray:
    """Extra PM2.5 of episodes: each begins on some day, likelier in the dirty season, and lasts two to six days."""
    total = np.zeros(len(days))
    for lag in range(_LONGEST_EPISODE_DAYS):
        began = days - lag
        chance = region.episodes_a_day * _season(region, began) / (1 + region.season_amplitude)
        begins = uniforms(make_key(seed, "episode", region.name), began) < chance
        length = 2 + np.floor(5 * uniforms(make_key(seed, "episode length", region.name), began))
        strength = 0.5 + uniforms(make_key(seed, "episode strength", region.name), began)
        total += region.episode_pm25 * begins * strength * (length > lag)
    return total
