"""The trees of a propensity model: the one file that knows LightGBM, which is loaded when it is needed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millpond.kernel.arrays import Bools, Floats
from millpond.kernel.errors import ConfigurationError

Matrix = NDArray[np.float32]
_ROUNDS = 100
# The same numbers from the same data on every run: one order of the sums, and seeds.
_PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "lambda_l2": 1.0,
    "feature_fraction": 0.8,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    # Threads that wait for each other on a busy machine cost more than they save.
    "num_threads": 1,
    "seed": 20260301,
    "verbosity": -1,
}


def require_boosting() -> Any:
    """LightGBM; raises ConfigurationError with what to do where it is not installed."""
    try:
        import lightgbm
    except ImportError as error:
        raise ConfigurationError("propensities need LightGBM, which is not installed: pip install lightgbm") from error
    return lightgbm


def fit_trees(features: Matrix, happened: Bools, *, names: Sequence[str], categorical: Sequence[str]) -> str:
    """Trees that tell from its features how probable it is that something happens, as a text."""
    lightgbm = require_boosting()
    data = lightgbm.Dataset(
        features, happened.astype(np.float32), feature_name=list(names), categorical_feature=list(categorical)
    )
    booster = lightgbm.train(_PARAMETERS, data, num_boost_round=_ROUNDS)
    return str(booster.model_to_string())


def load_trees(text: str) -> Callable[[Matrix], Floats]:
    """What `fit_trees` made, as a function of features."""
    booster = require_boosting().Booster(model_str=text)
    return lambda features: np.asarray(booster.predict(features), dtype=np.float64)
