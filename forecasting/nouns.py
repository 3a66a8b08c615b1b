"""The words of forecasting: what is asked about, and what is answered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.depletion import DepletionDates
from devices.parts.doubts import Doubt
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
    """How a date was found: on a cohort's Prophet index, at a fixed rate, from the prior alone, as the device said."""

    COHORT_PROPHET = "cohort_prophet"
    FIXED_RATE = "fixed_rate"
    PRIOR = "prior"
    SAID = "said"


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
    """Why there is no date, besides the doubts of `devices.parts.doubts`."""

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
    """When one installation is down to its threshold: `dates`, or a `reason` why there are none.

    `usage_pct_per_day` is the use expected from `data_cutoff` (the newest reading) on, on an average day.
    """

    installation_id: InstallationId
    threshold_pct: float
    method: Method
    dates: DepletionDates | None
    reason: Reason | None = None
    data_cutoff: datetime | None = None
    remaining_pct: float | None = None
    usage_pct_per_day: float | None = None

    @classmethod
    def refused(
        cls,
        installation_id: InstallationId,
        reason: Reason,
        *,
        threshold_pct: float,
        usage_pct_per_day: float | None = None,
    ) -> "Forecast":
        """The answer for an installation of which nothing is known but why."""
        return cls(
            installation_id, threshold_pct, Method.PRIOR, dates=None, reason=reason, usage_pct_per_day=usage_pct_per_day
        )


@dataclass(frozen=True, slots=True)
class CurrentForecast:
    """The newest forecast of a current installation, as stored; it has `dates` or a reason."""

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
    dates: DepletionDates | None


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """What `millpond forecast` prints of one installation."""

    serial: Serial
    consumable: str
    remaining_pct: float | None
    dates: DepletionDates | None
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
