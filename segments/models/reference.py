"""What propensities are held against: how often customers bought of a category and how long ago; pure."""

from dataclasses import dataclass

import numpy as np

from millpond.kernel.arrays import Bools, Floats, Ints
from segments.models.boosting import Matrix
from segments.models.features import BOUGHT, FEATURES, SINCE_BOUGHT

_MOST_BOUGHT = 3
_SINCE_DAYS = np.array([15.0, 30.0, 60.0, 120.0, 240.0, 480.0])
_CELLS = (_MOST_BOUGHT + 1) * (len(_SINCE_DAYS) + 2)
# A cell with few pairs says little: so many pairs of its category's rate are put beside them.
_PRIOR = 20.0


@dataclass(frozen=True, slots=True)
class RecencyFrequency:
    """The share that bought, by category, how often they had bought (up to 3) and how long ago."""

    rates: Floats

    def predict(self, features: Matrix) -> Floats:
        """How probable it is that each pair buys."""
        return self.rates[_cells(features)]


def fit_reference(features: Matrix, happened: Bools, categories: int) -> RecencyFrequency:
    """Count who bought in each cell."""
    cells = _cells(features)
    pairs = np.bincount(cells, minlength=categories * _CELLS).reshape(categories, _CELLS)
    bought = np.bincount(cells, happened, minlength=categories * _CELLS).reshape(categories, _CELLS)
    rate = bought.sum(axis=1, keepdims=True) / np.maximum(pairs.sum(axis=1, keepdims=True), 1)
    return RecencyFrequency(((bought + _PRIOR * rate) / (pairs + _PRIOR)).ravel())


def _cells(features: Matrix) -> Ints:
    frequency = np.minimum(features[:, BOUGHT], _MOST_BOUGHT).astype(np.int64)
    recency = np.searchsorted(_SINCE_DAYS, features[:, SINCE_BOUGHT])
    recency[np.isnan(features[:, SINCE_BOUGHT])] = len(_SINCE_DAYS) + 1
    category = features[:, FEATURES.index("category")].astype(np.int64)
    return np.asarray(category * _CELLS + frequency * (len(_SINCE_DAYS) + 2) + recency)
