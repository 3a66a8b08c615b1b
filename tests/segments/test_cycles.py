"""How long customers wait before they buy again: their own gaps, drawn towards the category's."""

import numpy as np

from segments.models.cycles import LEAST_GAPS, CategoryCycle, fit_cycle, score_cycles

RNG = np.random.default_rng(3)


def gaps(
    customers: int, each: int, *, between: float, within: float
) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Logarithms of gaps of some customers around 60 days."""
    means = np.log(60) + RNG.normal(0, between**0.5, customers)
    return [mean + RNG.normal(0, within**0.5, each) for mean in means]


def fit(logs: list[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> CategoryCycle | None:
    counts = np.array([len(each) for each in logs])
    squares = np.array([((each - each.mean()) ** 2).sum() for each in logs])
    return fit_cycle(counts, np.array([each.mean() for each in logs]), squares)


def test_a_category_learns_its_median_and_how_much_customers_differ() -> None:
    cycle = fit(gaps(2000, 4, between=0.3, within=0.1))
    assert cycle is not None
    assert abs(cycle.median_days - 60) < 4
    assert abs(cycle.between_share - 0.75) < 0.05
    alike = fit(gaps(2000, 4, between=0.0, within=0.4))
    assert alike is not None
    assert alike.between_share < 0.05


def test_a_customer_counts_for_more_the_more_gaps_they_have() -> None:
    cycle = CategoryCycle(float(np.log(60)), variance=0.4, between_share=0.5)
    scored = score_cycles(cycle, np.array([0, 1, 5, 500]), np.log([30.0, 30.0, 30.0, 30.0]))
    assert scored.median_days[0] == np.exp(cycle.log_days)
    assert (np.diff(scored.median_days) < 0).all()
    assert abs(scored.median_days[3] - 30) < 0.2
    assert (scored.early_days < scored.median_days).all()
    assert (scored.median_days < scored.late_days).all()
    assert (np.diff(scored.late_days / scored.early_days) < 0).all(), "who is known better is told more closely"


def test_eight_of_ten_later_gaps_lie_within_the_early_and_the_late_day() -> None:
    logs = gaps(3000, 5, between=0.3, within=0.2)
    cycle = fit([each[:4] for each in logs])
    assert cycle is not None
    scored = score_cycles(cycle, np.full(3000, 4), np.array([each[:4].mean() for each in logs]))
    last = np.exp([each[4] for each in logs])
    inside = np.mean((scored.early_days <= last) & (last <= scored.late_days))
    assert 0.77 < inside < 0.83


def test_too_few_gaps_make_no_cycle() -> None:
    assert fit(gaps(LEAST_GAPS - 1, 1, between=0.1, within=0.1)) is None
    assert fit(gaps(LEAST_GAPS, 1, between=0.1, within=0.1)) is not None
