"""Percentages that wobble: what goes up and down was not used."""

import numpy as np
import pytest

from forecasting.nouns import ActiveInstallation, from_day, to_day
from forecasting.part import forecast_part
from millpond.kernel.ids import DeviceId, InstallationId
from tests.forecasting.households import PCT, START_DAY, make_part

DEVICES, PCT_PER_DAY = 6, 0.4


def forecast_errors(sigma: float, step: float, *, days: int, seed: int) -> list[float]:
    """Days between P50 and the truth of devices that say 90 - 0.4 a day, rounded, with so much noise on it."""
    rng, rows = np.random.default_rng(seed), []
    at = np.arange(0, days, step)
    last_of_day = np.append(np.floor(at[1:]) != np.floor(at[:-1]), True)
    for device_id in range(1, DEVICES + 1):
        shown = np.clip(np.round(90 - PCT_PER_DAY * at + rng.normal(0, sigma, len(at))), 0, 100)
        rows += [(device_id, 1, START_DAY + t, v) for t, v in zip(at[last_of_day], shown[last_of_day], strict=True)]
    points = np.array(rows, dtype=[("device_id", "i8"), ("metric_id", "i8"), ("day", "f8"), ("value", "f8")])
    installations = [
        ActiveInstallation(
            InstallationId(n), DeviceId(n), "purifier", "filter", "north", from_day(START_DAY), None, False
        )
        for n in range(1, DEVICES + 1)
    ]
    forecasts = forecast_part(make_part(PCT), installations, points, [], from_day(START_DAY + days), forecaster="fixed")
    assert all(f.dates is not None for f in forecasts)
    return [to_day(f.dates.p50) - START_DAY - 80 / PCT_PER_DAY for f in forecasts if f.dates]


@pytest.mark.parametrize("step", [0.25, 1.0], ids=["every six hours", "once a day"])
@pytest.mark.parametrize("sigma", [1.0, 3.0, 5.0])
@pytest.mark.parametrize("days", [100, 150])
def test_noise_is_not_counted_as_use(sigma: float, step: float, days: int) -> None:
    errors = [e for seed in range(4) for e in forecast_errors(sigma, step, days=days, seed=seed)]
    quiet = np.mean(forecast_errors(0, step, days=days, seed=0))
    assert abs(np.mean(errors) - quiet) < 2
    assert np.median(np.abs(errors)) < 6
