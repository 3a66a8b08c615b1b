"""How often customers buy, and whether they still do: the BG/NBD model.

Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24 (2), 275-284. While a customer
is alive they buy at random times at a rate of their own (gamma distributed over customers), and after each purchase
they may leave for good, with a probability of their own (beta distributed). All functions take columns, a row a
customer, in one unit of time of the caller's choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln

from millpond.kernel.arrays import Floats, Ints

_START = np.zeros(4)
# Of logarithms: beyond it a parameter says nothing more, and the next step would overflow.
_BOUND = 12.0
_NODES = 24
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class History:
    """A row a customer: repeat purchases, the time from the first to the last one, and from the first until now."""

    repeats: Floats
    recency: Floats
    age: Floats

    def __len__(self) -> int:
        return len(self.repeats)


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The fitted parameters, by the names of the paper: r and alpha of buying, a and b of leaving."""

    r: float
    alpha: float
    a: float
    b: float


def fit_bgnbd(history: History) -> BgNbd:
    """The most likely parameters. Customers with equal histories are counted together; same input, same answer."""
    first, where = _distinct(history.repeats, history.recency, history.age)
    unique = History(history.repeats[first], history.recency[first], history.age[first])
    weights = np.bincount(where) / len(history)
    scale = float(unique.age.max()) or 1.0
    timed = History(unique.repeats, unique.recency / scale, unique.age / scale)

    def cost(logs: Floats) -> tuple[float, Floats]:
        model = BgNbd(*np.exp(logs))
        likely, slopes = _likelihood(model, timed)
        return -float(weights @ likely), -(slopes @ weights) * np.exp(logs)

    bounds = [(-_BOUND, _BOUND)] * 4
    found = minimize(cost, _START, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-8})
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return BgNbd(r, alpha * scale, a, b)


def log_likelihood(model: BgNbd, history: History) -> Floats:
    """Of each customer's history: equation (6) of the paper."""
    return _likelihood(model, history)[0]


def _likelihood(model: BgNbd, history: History) -> tuple[Floats, Floats]:
    """The logarithm of the likelihood, and its slopes by r, alpha, a and b: a row each."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    counts, where = np.unique(history.repeats, return_inverse=True)
    # What depends on the count alone is worked out once a count: these functions are most of the cost.
    of_count = gammaln(r + counts) + gammaln(b + counts) - gammaln(a + b + counts)
    of_count += r * np.log(alpha) - gammaln(r) + gammaln(a + b) - gammaln(b)
    x, log_age, log_recency = history.repeats, np.log(alpha + history.age), np.log(alpha + history.recency)
    before = b + np.maximum(x, 1) - 1
    alive = -(r + x) * log_age
    left = np.where(x > 0, np.log(a) - np.log(before) - (r + x) * log_recency, -np.inf)
    either = np.logaddexp(alive, left)
    gone = np.exp(left - either)
    ends = digamma(a + b) - digamma(a + b + counts)
    by_count = np.stack(
        [digamma(r + counts) - digamma(r) + np.log(alpha), ends, ends + digamma(b + counts) - digamma(b)]
    )
    by_r, by_a, by_b = by_count[:, where]
    by_time = (1 - gone) / (alpha + history.age) + gone / (alpha + history.recency)
    slopes = [by_r - (1 - gone) * log_age - gone * log_recency, r / alpha - (r + x) * by_time]
    return of_count[where] + either, np.stack([*slopes, by_a + gone / a, by_b - gone / before])


def p_alive(model: BgNbd, history: History) -> Floats:
    """How probable it is that each customer still buys. Who bought once is alive: nobody leaves but after a repeat."""
    x = history.repeats
    log_odds = np.log(model.b + np.maximum(x, 1) - 1) - np.log(model.a)
    log_odds -= (model.r + x) * np.log((model.alpha + history.age) / (model.alpha + history.recency))
    return np.where(x > 0, np.asarray(expit(log_odds)), 1.0)


def expected_purchases(model: BgNbd, history: History, times: Sequence[float]) -> Floats:
    """How many purchases each customer makes from now until each of the times, a column each: equation (10) there.

    It does not depend on recency but by `p_alive`, so customers of one age and count share one evaluation.
    """
    first, where = _distinct(history.repeats, history.age)
    alive = _while_alive(model, history.repeats[first], history.age[first], times)
    return p_alive(model, history)[:, None] * alive[where]


def _while_alive(model: BgNbd, repeats: Floats, age: Floats, times: Sequence[float]) -> Floats:
    """Of somebody alive, the mean over all chances of leaving that they may have.

    By quadrature: the closed form is a hypergeometric function, which overflows where nearly nobody leaves.
    """
    counts, where = np.unique(repeats, return_inverse=True)
    leaves, weights = beta_quadrature(np.full(len(counts), model.a), model.b + counts)
    leaves, weights, buys = leaves[where], weights[where], -(model.r + repeats)[:, None]
    columns = []
    for time in times:
        growth = np.log1p(leaves * (time / (model.alpha + age))[:, None])
        columns.append((weights * -np.expm1(buys * growth) / leaves).sum(axis=1))
    return np.stack(columns, axis=1)


def _distinct(*columns: Floats) -> tuple[Ints, Ints]:
    """The first row of each kind of row, and of each row which kind it is."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, where = np.unique(column, return_inverse=True)
        codes = codes * len(values) + where
    _, first, kind = np.unique(codes, return_index=True, return_inverse=True)
    return first, kind


def beta_quadrature(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Nodes and weights of the means over beta distributions, a row each: Gauss-Jacobi by Golub & Welsch (1969)."""
    low, high, k = (a - 1)[:, None], (b - 1)[:, None], np.arange(1, _NODES)
    both = low + high
    diagonal = np.empty((len(a), _NODES))
    diagonal[:, :1] = (low - high) / (both + 2)
    diagonal[:, 1:] = (low - high) * both / ((2 * k + both) * (2 * k + both + 2))
    # The first is written out: its factor k + both cancels against 2 k + both - 1, and both may be 0.
    beside = 4 * k * (k + low) * (k + high) / ((2 * k + both) ** 2 * (2 * k + both + 1))
    beside[:, 1:] *= ((k + both) / (2 * k + both - 1))[:, 1:]
    matrix = np.zeros((len(a), _NODES, _NODES))
    matrix[:, range(_NODES), range(_NODES)] = diagonal
    matrix[:, k, k - 1] = np.sqrt(beside)
    values, vectors = np.linalg.eigh(matrix)
    return np.maximum((1 + values) / 2, _TINY), vectors[:, 0, :] ** 2
