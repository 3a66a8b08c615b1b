"""How good probabilities are, and how they are set right on data that nothing was fitted on; pure."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import rankdata

from millpond.kernel.arrays import Bools, Floats

_LEAST, _MOST = 1e-6, 1 - 1e-6
_DECILES = 10


@dataclass(frozen=True, slots=True)
class Platt:
    """Platt (1999): the log odds of a raw score, stretched and shifted."""

    slope: float
    shift: float

    def calibrate(self, raw: Floats) -> Floats:
        """What the raw scores mean as probabilities."""
        return np.asarray(expit(self.slope * logit(np.clip(raw, _LEAST, _MOST)) + self.shift))


def fit_platt(raw: Floats, happened: Bools) -> Platt:
    """The most likely stretch and shift of `raw`, held a little to none at all (1 and 0) by a weak normal prior."""
    odds = logit(np.clip(raw, _LEAST, _MOST))
    sign = np.where(happened, -1.0, 1.0)

    def cost(line: Floats) -> float:
        surprise = np.logaddexp(0, sign * (line[0] * odds + line[1])).sum()
        return float(surprise + (line[0] - 1) ** 2 + line[1] ** 2 / 10)

    slope, shift = minimize(cost, np.array([1.0, 0.0]), method="L-BFGS-B").x
    return Platt(float(slope), float(shift))


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of the pairs, by their probability: what was expected on average, and what happened."""

    pairs: int
    expected: float
    happened: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Brier: mean squared error of the probabilities, 0 is best. AUC: how often the one that happened ranks higher."""

    brier: float
    auc: float
    deciles: list[Decile]


def measure(probability: Floats, happened: Bools) -> Quality:
    """How good the probabilities are; some happened and some did not."""
    brier = float(np.mean((probability - happened) ** 2))
    return Quality(brier, _auc(probability, happened), _deciles(probability, happened))


def _auc(probability: Floats, happened: Bools) -> float:
    """The Mann-Whitney statistic; ties count half."""
    ranks = rankdata(probability)
    yes = int(np.count_nonzero(happened))
    return float((ranks[happened].sum() - yes * (yes + 1) / 2) / (yes * (len(happened) - yes)))


def _deciles(probability: Floats, happened: Bools) -> list[Decile]:
    parts = np.array_split(np.argsort(probability, kind="stable"), _DECILES)
    return [
        Decile(len(part), float(probability[part].mean()), float(happened[part].mean())) for part in parts if len(part)
    ]
