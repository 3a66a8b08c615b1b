"""The words of forecasting: what is asked about, and what is answered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.doubts import Doubt
from millpond.kernel.ids import DeviceId, InstallationId, Serial

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Records = NDArray[Any]

_DAY_S = 86_400.0


def to_day(at: datetime) -> float:
    """`at` in days since 1970, the time that all arrays of this package count in."""
    return at.timestamp() / _DAY_S


def from_day(day: float) -> datetime:
    """The moment of a time in days since 1970, UTC."""
    return datetime.fromtimestamp(round(day * _DAY_S), UTC)


class Method(StrEnum):
    """How a date was found: on a cohort's Prophet index, at a fixed rate, or from the prior alone."""

    COHORT_PROPHET = "cohort_prophet"
    FIXED_RATE = "fixed_rate"
    PRIOR = "prior"


@dataclass(frozen=True, slots=True)
class ActiveInstallation:
    """An installation in force at the moment asked about; `replaced` says whether it followed another.

    `ended_at` is hindsight, for scoring only.
    """

    installation_id: InstallationId
    device_id: DeviceId
    model: str
    part: str
    region: str
    installed_at: datetime
    ended_at: datetime | None
    replaced: bool


class NoDate(StrEnum):
    """Why there is no date, besides the doubts of `devices.doubts`."""

    STALE = "stale"
    NEVER_DEPLETES = "never_depletes"
    NOTHING_READ = "nothing_read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no date: a code for programs, and an English sentence."""

    code: NoDate | Doubt
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """When one installation is down to its threshold. Either all three dates are there, or `reason` says why not.

    `reason_code` is a `NoDate` or a `Doubt`.

    `usage_pct_per_day` is the use expected from `data_cutoff` on, on an average day.
    """

    installation_id: InstallationId
    data_cutoff: datetime | None
    method: Method
    reason: str | None
    reason_code: str | None
    remaining_pct: float | None
    threshold_pct: float
    usage_pct_per_day: float | None
    depletes_p10: datetime | None
    depletes_p50: datetime | None
    depletes_p90: datetime | None


@dataclass(frozen=True, slots=True)
class CurrentForecast:
    """The newest forecast of a current installation, as stored."""

    installation_id: InstallationId
    device_id: DeviceId
    part: str
    consumable: str
    installed_at: datetime
    at: datetime
    made_at: datetime
    data_cutoff: datetime | None
    method: str
    reason: str | None
    reason_code: str | None
    remaining_pct: float | None
    threshold_pct: float
    usage_pct_per_day: float | None
    depletes_p10: datetime | None
    depletes_p50: datetime | None
    depletes_p90: datetime | None


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """What `millpond forecast --json` prints of one installation."""

    serial: Serial
    consumable: str
    remaining_pct: float | None
    depletes_p10: datetime | None
    depletes_p50: datetime | None
    depletes_p90: datetime | None
    method: str
    reason: str | None
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class ForecastSummary:
    """One run: installations in force, those with dates, those with a reason instead, replacements found before."""

    run_id: int
    at: datetime
    installations: int
    forecasts: int
    refused: int
    replacements: int
    by_method: dict[str, int]
