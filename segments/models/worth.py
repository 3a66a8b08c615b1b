"""What a customer is worth in the coming year: expected purchases, each at its expected value, discounted."""

from dataclasses import dataclass

import numpy as np

from millpond.kernel.arrays import Floats, Ints
from segments.models.bgnbd import BgNbd, History, expected_purchases, fit_bgnbd, p_alive
from segments.models.gamma_gamma import GammaGamma, expected_value, fit_gamma_gamma

YEAR_DAYS = 365.0
_MONTHS = 12
LEAST_REPEATING = 30
"""Fewer customers who bought again say nothing of all others, and nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Purchases:
    """What customers bought, a row each; times in whole days.

    A day with any number of orders is one purchase. `currency` is a number of the caller's for the one in which the
    customer paid most often, `paid_in` how many purchases after the first were in it, `spent` their total in minor
    units.
    """

    repeats: Ints
    recency_days: Ints
    age_days: Ints
    currency: Ints
    paid_in: Ints
    spent: Ints

    def __len__(self) -> int:
        return len(self.repeats)

    def history(self) -> History:
        """The columns that the model of buying needs."""
        return History(*(column.astype(np.float64) for column in (self.repeats, self.recency_days, self.age_days)))

    def mean_value(self) -> "Floats":
        """What a purchase after the first was worth on average; 0 without one."""
        return np.asarray(self.spent / np.maximum(self.paid_in, 1))


@dataclass(frozen=True, slots=True)
class WorthModel:
    """How customers buy (times in days), and what their purchases are worth, by the number of the currency."""

    buying: BgNbd
    value: dict[int, GammaGamma]


@dataclass(frozen=True, slots=True)
class Worth:
    """A row a customer. NaN in `value` and `clv` where too few others paid in their currency; both in minor units."""

    p_alive: Floats
    expected_purchases: Floats
    value: Floats
    clv: Floats


def fit_worth(purchases: Purchases) -> WorthModel | None:
    """Both models; None when too few customers bought again."""
    if np.count_nonzero(purchases.repeats) < LEAST_REPEATING:
        return None
    value = {}
    for currency in np.unique(purchases.currency).tolist():
        paying = (purchases.currency == currency) & (purchases.paid_in > 0)
        if np.count_nonzero(paying) >= LEAST_REPEATING:
            value[currency] = fit_gamma_gamma(
                purchases.paid_in[paying].astype(np.float64), purchases.mean_value()[paying]
            )
    return WorthModel(fit_bgnbd(purchases.history()), value)


def score_worth(model: WorthModel, purchases: Purchases, *, yearly_discount: float) -> Worth:
    """What each customer is worth over the coming year; `yearly_discount` 0.1 makes 1.10 in a year 1.00 today."""
    history = purchases.history()
    value = np.full(len(purchases), np.nan)
    for currency, gamma_gamma in model.value.items():
        paying = purchases.currency == currency
        value[paying] = expected_value(gamma_gamma, purchases.paid_in[paying], purchases.mean_value()[paying])
    discounted, total = _purchases_of_a_year(model.buying, history, yearly_discount)
    return Worth(p_alive(model.buying, history), total, value, discounted * value)


def _purchases_of_a_year(model: BgNbd, history: History, yearly_discount: float) -> tuple[Floats, Floats]:
    """How many there will be, those of later months counted for less; and each counted whole."""
    until = expected_purchases(model, history, [month / _MONTHS * YEAR_DAYS for month in range(1, _MONTHS + 1)])
    by_month = np.diff(until, axis=1, prepend=0)
    discounted = by_month @ (1 + yearly_discount) ** -((np.arange(_MONTHS) + 0.5) / _MONTHS)
    return np.asarray(discounted), until[:, -1]
