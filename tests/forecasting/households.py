"""Households of known truth: what was really used every day, and what the device said of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.nouns import Measure, ModelPart, PartLimit
from forecasting.nouns import ActiveInstallation, Floats, Ints, Records, from_day
from millpond.kernel.ids import DeviceId, InstallationId, MetricId, Sku

START_DAY = 19_700  # 2023-12-09
CAPACITY_H = 3500.0

PCT = PartLimit("filter", MetricId(1), "filter_life_pct", Measure.PERCENT_REMAINING, None, 1.0)
HOURS = PartLimit("filter", MetricId(2), "filter_used_h", Measure.USED, CAPACITY_H, 1.0)


def make_part(*limits: PartLimit, threshold_pct: float = 10, prior_life_days: float = 180) -> ModelPart:
    """A filter with the given limits."""
    return ModelPart("purifier", "filter", "hepa", Sku("HEPA"), threshold_pct, prior_life_days, limits)


@dataclass(frozen=True, slots=True)
class Household:
    """One device: exact remaining percent at the end of every day from START_DAY, and the days of replacement."""

    device_id: int
    region: str
    remaining: Floats
    replaced: list[int]
    silent: list[int]

    def crossing_after(self, day: int, threshold_pct: float = 10) -> float | None:
        """When the part that is in at the end of `day` (counted from START_DAY) is down to the threshold."""
        ends = [r for r in self.replaced if r > day]
        life = self.remaining[day : ends[0] if ends else len(self.remaining)]
        below = np.flatnonzero(life <= threshold_pct)
        if len(below) == 0 or below[0] == 0:
            return None
        b = below[0]
        fraction = (life[b - 1] - threshold_pct) / (life[b - 1] - life[b])
        return float(START_DAY + day + b + fraction)


def make_households(
    n: int, days: int, seed: int, *, spread: float = 0.35, regions: Sequence[str] = ("north", "south")
) -> list[Household]:
    """`n` households over `days` days: weekday shape, opposite seasons, episodes, vacations, drift, silent days."""
    rng = np.random.default_rng(seed)
    day = START_DAY + np.arange(days)
    weekend = np.where((day + 4) % 7 >= 5, 1.3, 0.9)
    households = []
    shapes = {region: weekend * _season(day, 180.0 * i) * _episodes(rng, days) for i, region in enumerate(regions)}
    for device_id in range(1, n + 1):
        region = regions[device_id % len(regions)]
        level = 0.5 * rng.lognormal(0, spread)
        drift = np.exp(np.cumsum(rng.normal(0, 0.012, days)))
        use = level * shapes[region] * drift * rng.lognormal(-0.08, 0.4, days)
        for start in rng.integers(0, days, days // 120):
            use[start : start + rng.integers(4, 14)] = 0.0
        households.append(_live(device_id, region, use, rng))
    return households


def _season(day: Floats | Ints, shift: float) -> Floats:
    return np.asarray(1 + 0.35 * np.cos(2 * np.pi * (day - shift) / 365.25))


def _episodes(rng: np.random.Generator, days: int) -> Floats:
    noise, episode = rng.normal(0, 0.06, days), np.zeros(days)
    for d in range(1, days):
        episode[d] = 0.9 * episode[d - 1] + noise[d]
    return np.exp(episode)


def _live(device_id: int, region: str, use: Floats, rng: np.random.Generator) -> Household:
    remaining, replaced = np.empty(len(use)), []
    level, change_at = rng.uniform(30, 100), rng.uniform(1, 9)
    for d, used in enumerate(use):
        if level <= change_at:
            level, change_at = 100.0, rng.uniform(1, 9)
            replaced.append(d)
        level -= used
        remaining[d] = level
    silent = sorted(int(d) for d in rng.choice(len(use), len(use) // 30, replace=False))
    return Household(device_id, region, remaining, replaced, silent)


def read_pct(remaining: Floats) -> Floats:
    """Whole percent, rounded up as devices do: 10 % is shown once 10 % is left."""
    return np.asarray(np.ceil(np.clip(remaining, 0, 100)))


def read_hours(remaining: Floats) -> Floats:
    """Whole run hours of the part."""
    return np.asarray(np.floor((100 - remaining) / 100 * CAPACITY_H))


def make_points(households: Sequence[Household], until: int, limit: PartLimit) -> Records:
    """What the devices said by the end of day `until`: one reading a day, none on silent days."""
    read = read_pct if limit is PCT else read_hours
    rows = [
        (h.device_id, limit.metric_id, START_DAY + day + 0.99, value)
        for h in households
        for day, value in enumerate(read(h.remaining[:until]))
        if day not in h.silent
    ]
    return np.array(rows, dtype=[("device_id", "i8"), ("metric_id", "i8"), ("day", "f8"), ("value", "f8")])


def make_installations(households: Sequence[Household], until: int) -> list[ActiveInstallation]:
    """The installation of every household at the end of day `until`; ids are those of the devices."""
    return [
        ActiveInstallation(
            InstallationId(h.device_id),
            DeviceId(h.device_id),
            "purifier",
            "filter",
            h.region,
            from_day(START_DAY + max([r for r in h.replaced if r < until], default=0)),
            None,
            bool(h.replaced),
        )
        for h in households
    ]


def find_resets(households: Sequence[Household], until: int) -> list[tuple[int, float]]:
    """(row, time) of the replacements up to day `until`."""
    return [(row, START_DAY + r + 0.5) for row, h in enumerate(households) for r in h.replaced if r < until]
