"""What a purchase of each customer is worth: the Gamma-Gamma model.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value". Purchases of one customer vary around their own mean,
and these means vary between customers; what was paid is independent of how often. All functions take columns.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from millpond.kernel.arrays import Floats

_START = np.zeros(3)
_BOUND = 12.0


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The fitted parameters, by the names of the paper; v is in units of money. q is above 1: else there is no mean."""

    p: float
    q: float
    v: float

    @property
    def mean(self) -> float:
        """What a purchase of somebody unknown is worth."""
        return self.p * self.v / (self.q - 1)


def fit_gamma_gamma(purchases: Floats, mean_value: Floats) -> GammaGamma:
    """The most likely parameters, from how many purchases each customer made and their mean value (above 0)."""
    scale = float(mean_value.mean())

    def cost(logs: Floats) -> float:
        p, above_one, v = np.exp(logs)
        return -float(log_likelihood(GammaGamma(p, 1 + above_one, v), purchases, mean_value / scale).mean())

    found = minimize(
        cost, _START, method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 3, options={"ftol": 1e-13, "gtol": 1e-9}
    )
    p, above_one, v = (float(value) for value in np.exp(found.x))
    return GammaGamma(p, 1 + above_one, v * scale)


def log_likelihood(model: GammaGamma, purchases: Floats, mean_value: Floats) -> Floats:
    """Of the mean value of each customer's purchases: equation (1a) of the paper."""
    p, q, v, x = model.p, model.q, model.v, purchases
    shared = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    return np.asarray(
        shared + (p * x - 1) * np.log(mean_value) + p * x * np.log(x) - (p * x + q) * np.log(v + x * mean_value)
    )


def expected_value(model: GammaGamma, purchases: Floats, mean_value: Floats) -> Floats:
    """What a purchase of each customer is worth: between their own mean and everybody's, by how often they bought.

    Without a purchase (`purchases` 0, whatever `mean_value`) it is everybody's.
    """
    own = model.p * purchases / (model.p * purchases + model.q - 1)
    return (1 - own) * model.mean + own * np.where(purchases > 0, mean_value, 0)
