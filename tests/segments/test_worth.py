"""What customers are worth: the published parameters on published data, and what follows from them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from millpond.kernel.arrays import Floats
from segments.models.bgnbd import BgNbd, History, expected_purchases, fit_bgnbd, log_likelihood, p_alive
from segments.models.gamma_gamma import GammaGamma, expected_value, fit_gamma_gamma
from segments.models.worth import Purchases, fit_worth, score_worth

# The 2,357 customers of the CDNOW sample, which Bruce Hardie gives to everybody at brucehardie.com/datasets: what each
# bought in the 39 weeks to 30 September 1997, orders of one day together.
_CDNOW = np.loadtxt(Path(__file__).parent / "data" / "cdnow.csv", delimiter=",", skiprows=1)
REPEATS, RECENCY, AGE, SPENT = _CDNOW.T
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
_WITHIN = 0.01


def weeks() -> History:
    return History(REPEATS, RECENCY / 7, AGE / 7)


def test_the_parameters_of_buying_are_the_published_ones() -> None:
    model = fit_bgnbd(weeks())
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), rel=_WITHIN)
    assert log_likelihood(model, weeks()).sum() == pytest.approx(-9582.4, abs=0.1)


def test_the_parameters_of_value_are_the_published_ones() -> None:
    again = REPEATS > 0
    model = fit_gamma_gamma(REPEATS[again], SPENT[again] / REPEATS[again] / 100)
    assert np.count_nonzero(again) == 946
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), rel=_WITHIN)


def test_time_and_money_may_be_counted_in_any_unit() -> None:
    days = fit_bgnbd(History(REPEATS, RECENCY, AGE))
    assert days.alpha / 7 == pytest.approx(PUBLISHED.alpha, rel=_WITHIN)
    again = REPEATS > 0
    cents = fit_gamma_gamma(REPEATS[again], SPENT[again] / REPEATS[again])
    assert cents.v / 100 == pytest.approx(15.44, rel=_WITHIN)


def test_a_second_fit_gives_the_same_numbers() -> None:
    assert fit_bgnbd(weeks()) == fit_bgnbd(weeks())


def one(repeats: float, recency: float, age: float) -> History:
    return History(*(np.array([value]) for value in (repeats, recency, age)))


def test_who_bought_often_and_lately_is_as_the_paper_by_example_has_it() -> None:
    """26 purchases up to week 30.86 of 31: the worked example that comes with the authors' own implementation."""
    customer = one(26, 30.86, 31)
    assert expected_purchases(PUBLISHED, customer, [52])[0, 0] == pytest.approx(25.76, abs=0.01)
    assert p_alive(PUBLISHED, customer)[0] == pytest.approx(0.9689, abs=0.0001)


@pytest.mark.parametrize(("repeats", "recency", "age"), [(0, 0, 30), (2, 30, 38), (12, 20, 38), (400, 300, 330)])
def test_the_expectation_is_the_integral_over_all_that_a_customer_may_be(
    repeats: float, recency: float, age: float
) -> None:
    """Over chances of leaving, with rates of buying by the transform of their distribution."""
    m, time = PUBLISHED, 39.0

    def purchases(leaves: float) -> float:
        return float((1 - (1 + leaves * time / (m.alpha + age)) ** -(m.r + repeats)) / leaves)

    chance = beta(m.a, m.b + repeats)
    alive = quad(lambda leaves: purchases(leaves) * chance.pdf(leaves), 0, 1, limit=200)[0]
    history = one(repeats, recency, age)
    expected = alive * p_alive(m, history)[0]
    assert expected_purchases(m, history, [time])[0, 0] == pytest.approx(expected, rel=1e-4)


def test_where_nearly_nobody_leaves_purchases_go_on_at_the_pace_of_before() -> None:
    """As fitted parameters are then: an a of thousands, a thousand times less than b."""
    stays = BgNbd(r=0.5, alpha=10, a=2e3, b=1.6e8)
    expected = expected_purchases(stays, one(40, 390, 390), [400])[0, 0]
    assert expected == pytest.approx(40.5, rel=0.01)
    assert expected_purchases(stays, one(0, 0, 390), [400])[0, 0] == pytest.approx(0.5, rel=1e-3)


def test_who_waits_longer_is_less_likely_alive_and_who_bought_once_has_not_left() -> None:
    ages = np.array([30.0, 40.0, 80.0])
    alive = p_alive(PUBLISHED, History(np.full(3, 5.0), np.full(3, 29.0), ages))
    assert alive[0] > alive[1] > alive[2] > 0
    assert p_alive(PUBLISHED, History(np.zeros(3), np.zeros(3), ages)).tolist() == [1, 1, 1]


def test_the_value_of_a_purchase_lies_between_ones_own_mean_and_everybodys() -> None:
    model = GammaGamma(p=6.25, q=3.74, v=15.44)
    assert model.mean == pytest.approx(35.2, abs=0.1)
    values = expected_value(model, np.array([0.0, 1.0, 100.0]), np.array([999.0, 100.0, 100.0]))
    assert values[0] == model.mean
    assert model.mean < values[1] < values[2] < 100


def purchases_of_cdnow() -> Purchases:
    columns: list[Floats] = [REPEATS, RECENCY, AGE, np.zeros_like(REPEATS), REPEATS, SPENT]
    return Purchases(*(column.astype(np.int64) for column in columns))


def test_the_worth_of_a_year_is_its_purchases_at_their_value_less_the_discount() -> None:
    model = fit_worth(purchases_of_cdnow())
    assert model is not None
    free = score_worth(model, purchases_of_cdnow(), yearly_discount=0)
    dear = score_worth(model, purchases_of_cdnow(), yearly_discount=0.21)
    assert free.clv == pytest.approx(free.expected_purchases * free.value)
    # Half a year on average, and sooner for those who may leave.
    ratio = dear.clv / free.clv
    assert ratio.max() < 1
    assert ratio.min() > 1 / 1.21**0.5


def test_too_few_who_bought_again_make_no_model_and_a_rare_currency_no_value() -> None:
    known = purchases_of_cdnow()
    some = Purchases(*(getattr(known, name)[:60] for name in Purchases.__slots__))
    assert fit_worth(some) is None
    known.currency[:5] = 1
    model = fit_worth(known)
    assert model is not None
    assert list(model.value) == [0]
    worth = score_worth(model, known, yearly_discount=0.1)
    assert np.isnan(worth.clv[:5]).all()
    assert not np.isnan(worth.clv[5:]).any()
    assert not np.isnan(worth.expected_purchases).any()
