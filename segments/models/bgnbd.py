"""How often customers buy, and whether they still do: the BG/NBD model.

Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24 (2), 275-284. While a customer
is alive they buy at random times at a rate of their own (gamma distributed over customers), and after each purchase
they may leave for good, with a probability of their own (beta distributed). All functions take columns, a row a
customer, in one unit of time of the caller's choice.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln, hyp2f1

from millpond.kernel.arrays import Floats

_START = np.zeros(4)
# Of logarithms: beyond it a parameter says nothing more, and the next step would overflow.
_BOUND = 12.0
# Where a is 1 the formula of the expectation is 0 / 0; a hair beside it is as good.
_HAIR = 1e-6


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
    rows, counts = np.unique(
        np.stack([history.repeats, history.recency, history.age], axis=1), axis=0, return_counts=True
    )
    unique, weights = History(*rows.T), counts / counts.sum()
    scale = float(unique.age.max()) or 1.0
    timed = History(unique.repeats, unique.recency / scale, unique.age / scale)

    def cost(logs: Floats) -> float:
        return -float(weights @ log_likelihood(BgNbd(*np.exp(logs)), timed))

    found = minimize(
        cost, _START, method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 4, options={"ftol": 1e-13, "gtol": 1e-9}
    )
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return BgNbd(r, alpha * scale, a, b)


def log_likelihood(model: BgNbd, history: History) -> Floats:
    """Of each customer's history: equation (6) of the paper."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x = history.repeats
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) - gammaln(b)
    shared += gammaln(b + x) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + history.age)
    left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + history.recency)
    return np.asarray(shared + np.where(x > 0, np.logaddexp(alive, left), alive))


def p_alive(model: BgNbd, history: History) -> Floats:
    """How probable it is that each customer still buys. Who bought once is alive: nobody leaves but after a repeat."""
    x = history.repeats
    log_odds = np.log(model.b + np.maximum(x, 1) - 1) - np.log(model.a)
    log_odds -= (model.r + x) * np.log((model.alpha + history.age) / (model.alpha + history.recency))
    return np.where(x > 0, np.asarray(expit(log_odds)), 1.0)


def expected_purchases(model: BgNbd, history: History, time: float) -> Floats:
    """How many purchases each customer makes within `time` from now: equation (10) of the paper.

    Its hypergeometric function is taken in Euler's other form, whose parameters stay small however often somebody
    bought. It does not depend on recency, so customers of one age and count share one evaluation.
    """
    pairs, where = np.unique(np.stack([history.repeats, history.age], axis=1), axis=0, return_inverse=True)
    return p_alive(model, history) * _while_alive(model, pairs[:, 0], pairs[:, 1], time)[where.ravel()]


def _while_alive(model: BgNbd, repeats: Floats, age: Floats, time: float) -> Floats:
    a = model.a + _HAIR if abs(model.a - 1) < _HAIR else model.a
    c = a + model.b + repeats - 1
    z = time / (model.alpha + age + time)
    stays = (1 - z) ** (a - 1) * hyp2f1(a - 1, a + model.b - 1 - model.r, c, z)
    return np.asarray(c / (a - 1) * (1 - stays))
