"""How long customers wait before they buy something of a category again, and when they are expected next.

Gaps between purchases are taken as log-normal. A customer's own gaps are drawn towards the category's: by how much, the
gaps themselves say, by their variance within customers and between them (an empirical Bayes estimate of one-way random
effects).
"""

from dataclasses import dataclass

import numpy as np

from millpond.kernel.arrays import Floats, Ints

LEAST_GAPS = 20
"""Fewer gaps of all customers together do not make a cycle of a category."""
_TENTH = 1.2815515655446004
# Of what a category's gaps vary, the share between customers at least and at most: neither is ever known for sure.
_LEAST_SHARE, _MOST_SHARE = 0.02, 0.98


@dataclass(frozen=True, slots=True)
class CategoryCycle:
    """The gaps of one category: mean and variance of their logarithm, and what share of it lies between customers."""

    log_days: float
    variance: float
    between_share: float

    @property
    def median_days(self) -> float:
        """Half of the gaps are shorter."""
        return float(np.exp(self.log_days))


@dataclass(frozen=True, slots=True)
class Cycles:
    """A row for each customer and category: half of their gaps will be shorter than `median_days`, a tenth than
    `early_days`, and a tenth longer than `late_days`."""

    median_days: Floats
    early_days: Floats
    late_days: Floats


def fit_cycle(counts: Ints, log_means: Floats, log_squares: Floats) -> CategoryCycle | None:
    """The cycle of one category, from each customer's gaps: their count, mean logarithm, and squares around it.

    None when there are too few gaps. With customers who have one gap each, half of the variance counts as theirs.
    """
    total, customers = int(counts.sum()), len(counts)
    if total < LEAST_GAPS:
        return None
    mean = float(counts @ log_means / total)
    around = float(counts @ (log_means - mean) ** 2)
    variance = (around + float(log_squares.sum())) / total
    return CategoryCycle(mean, variance, _between(counts, around, float(log_squares.sum()), customers))


def _between(counts: Ints, around: float, within_sum: float, customers: int) -> float:
    """The share of the variance that lies between customers, by the analysis of variance."""
    total = int(counts.sum())
    if total == customers or customers < 2:
        return 0.5
    within = within_sum / (total - customers)
    effective = (total - float((counts**2).sum()) / total) / (customers - 1)
    between = (around / (customers - 1) - within) / effective
    share = between / (between + within) if between + within > 0 else 0.0
    return min(max(share, _LEAST_SHARE), _MOST_SHARE)


def score_cycles(cycle: CategoryCycle, counts: Ints, log_means: Floats) -> Cycles:
    """Each customer's cycle in the category; with a count of 0 it is the category's own."""
    between, within = cycle.variance * cycle.between_share, cycle.variance * (1 - cycle.between_share)
    own = counts * between / (counts * between + within) if cycle.variance else np.zeros(len(counts))
    middle = cycle.log_days + own * (np.where(counts > 0, log_means, cycle.log_days) - cycle.log_days)
    spread = _TENTH * np.sqrt(within + between * (1 - own))
    return Cycles(np.exp(middle), np.exp(middle - spread), np.exp(middle + spread))
