"""The only file that knows Prophet. Importing it is cheap; Prophet itself is loaded at the first fit."""

import logging
import warnings
from tempfile import TemporaryDirectory
from typing import Any

from forecasting.nouns import Floats, Ints

_TIMEOUT_S = 60
_YEAR_DAYS = 365.25
# Prophet's own scale of 10 would let the weather of half a year pass for a season.
_SEASON_SCALE, _SEASON_SCALE_UNDER_A_YEAR = 0.1, 0.02
_EPOCH = "1970-01-01"


def fit_prophet_index(days: Ints, index: Floats, first_day: int, n_days: int, yearly_terms: int) -> Floats:
    """Prophet's index for `n_days` days from `first_day` (days since 1970), fitted on `index` at `days`.

    Flat growth with a weekly and a yearly season (of so many Fourier terms, none for 0) that multiply it. Intervals
    are not Prophet's. Raises RuntimeError or TimeoutError when Stan does not find an answer.
    """
    import numpy as np
    import pandas as pd

    model = _make_model(yearly_terms)
    epoch = pd.Timestamp(_EPOCH)
    history = pd.DataFrame({"ds": epoch + pd.to_timedelta(days, unit="D"), "y": index})
    wanted = pd.DataFrame({"ds": epoch + pd.to_timedelta(first_day + np.arange(n_days), unit="D")})
    # Each fit leaves two files and, even after Prophet's own clean-up, a folder: so they go where all is taken away.
    with TemporaryDirectory(prefix="millpond-fit-") as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="prophet")
        model.fit(history, timeout=_TIMEOUT_S, output_dir=folder)
        return np.asarray(model.predict(wanted)["yhat"], dtype=np.float64)


def _make_model(yearly_terms: int) -> Any:
    # They speak of every fit, and cmdstanpy sets its own level when it is first used; failures are raised anyway.
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).disabled = True
    from prophet import Prophet

    model = Prophet(
        growth="flat",
        seasonality_mode="multiplicative",
        weekly_seasonality=True,
        yearly_seasonality=False,
        daily_seasonality=False,
        uncertainty_samples=0,
    )
    if yearly_terms:
        scale = _SEASON_SCALE if yearly_terms > 1 else _SEASON_SCALE_UNDER_A_YEAR
        model.add_seasonality("year", _YEAR_DAYS, yearly_terms, prior_scale=scale)
    return model
