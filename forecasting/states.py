"""What each limit says of the part that one device has now, for the doubts about it."""

from collections.abc import Sequence

import numpy as np

from devices.nouns import PartLimit
from devices.parts.doubts import RECENT_DAYS, LimitState
from devices.parts.replacement import LAG
from forecasting.nouns import ActiveInstallation, Floats, to_day
from forecasting.usage import UsageSeries


def read_states(
    read: Sequence[tuple[PartLimit, UsageSeries]], row: int, installation: ActiveInstallation
) -> list[LimitState]:
    """The states of those limits of which anything was read of the device in `row`."""
    return [
        _read_state(limit, series, row, to_day(installation.installed_at))
        for limit, series in read
        if not np.isnan(series.last_at[row])
    ]


def _read_state(limit: PartLimit, series: UsageSeries, row: int, installed_at: float) -> LimitState:
    reset_at = _known(series.reset_at, row)
    # A new part that the limit tells of when it is known to have been put in is no news.
    alone = reset_at is not None and abs(reset_at - installed_at) > LAG.days
    return LimitState(
        limit,
        float(series.last_at[row]),
        float(series.reported_pct[row]),
        _known(series.fell_at, row),
        reset_at if alone else None,
        float(series.began_at[row]),
        float(series.began_pct[row]),
        float(series.usage[row, -RECENT_DAYS:].sum()),
        float(series.exposure[row, -RECENT_DAYS:].sum()),
    )


def _known(values: Floats, row: int) -> float | None:
    return None if np.isnan(values[row]) else float(values[row])
