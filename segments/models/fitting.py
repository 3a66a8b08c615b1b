"""Fitting what customers are worth and when they buy again, on a sample of them; and the models as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from millpond.kernel.db import ReadConnection
from millpond.kernel.records import Records
from segments.models.bgnbd import BgNbd, expected_purchases
from segments.models.cycles import CategoryCycle, fit_cycle
from segments.models.gamma_gamma import GammaGamma
from segments.models.population import People
from segments.models.purchases import Pairs, summarise_pairs, summarise_purchases, to_days
from segments.models.traces import CURRENCIES, select_category_purchases, select_purchases
from segments.models.worth import WorthModel, fit_worth

_HOLDOUT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class FittedWorth:
    """A worth model with the cycles of categories, on how many customers, and what a hold-out of 90 days said of it."""

    model: WorthModel
    cycles: dict[str, CategoryCycle]
    customers: int
    scores: dict[str, Any]


def fit_customers(conn: ReadConnection, people: People, categories: Sequence[str], at: datetime) -> FittedWorth | None:
    """Fit on what these customers had bought by `at`; None when too few bought again."""
    rows = select_purchases(conn, people.ids, at)
    places, purchases = summarise_purchases(rows, at)
    model = fit_worth(purchases)
    if model is None:
        return None
    pairs = summarise_pairs(select_category_purchases(conn, people.ids, categories, at), to_days(at))
    return FittedWorth(model, fit_cycles(pairs, categories), len(places), _hold_out(rows, at))


def fit_cycles(pairs: Pairs, categories: Sequence[str]) -> dict[str, CategoryCycle]:
    """The cycle of each category of which enough was bought again."""
    fitted = {}
    for number, category in enumerate(categories):
        again = (pairs.category == number) & (pairs.purchases > 1)
        cycle = fit_cycle(pairs.purchases[again] - 1, pairs.log_mean[again], pairs.log_squares[again])
        if cycle is not None:
            fitted[category] = cycle
    return fitted


def _hold_out(rows: Records, at: datetime) -> dict[str, Any]:
    """Fitted on what was bought until 90 days ago, how many purchases were expected since, and how many there were.

    The reference goes on at each customer's own pace so far.
    """
    begin = at - _HOLDOUT
    cut = int(to_days(begin))
    places, before = summarise_purchases(rows[rows["day"] <= cut], begin)
    model = fit_worth(before)
    if model is None:
        return {}
    since = np.unique(rows[rows["day"] > cut][["place", "day"]])
    bought = np.bincount(since["place"], minlength=int(places.max()) + 1)[places]
    history = before.history()
    expected = expected_purchases(model.buying, history, [_HOLDOUT.days])[:, 0]
    pace = history.repeats / np.maximum(history.age, 1) * _HOLDOUT.days
    return {
        "holdout_days": _HOLDOUT.days,
        "customers": len(places),
        "happened": int(bought.sum()),
        "expected": float(expected.sum()),
        "error": float(np.abs(expected - bought).mean()),
        "reference": {"expected": float(pace.sum()), "error": float(np.abs(pace - bought).mean())},
    }


def worth_to_json(fitted: FittedWorth) -> dict[str, Any]:
    """The parameters as they are kept: times in days, money in minor units."""
    value = {CURRENCIES[number]: asdict(model) for number, model in fitted.model.value.items()}
    cycles = {category: asdict(cycle) for category, cycle in fitted.cycles.items()}
    return {"buying": asdict(fitted.model.buying), "value": value, "cycles": cycles}


def worth_from_json(parameters: Mapping[str, Any]) -> tuple[WorthModel, dict[str, CategoryCycle]]:
    """What `worth_to_json` made: the model, and the cycles by category."""
    value = {CURRENCIES.index(currency): GammaGamma(**model) for currency, model in parameters["value"].items()}
    cycles = {category: CategoryCycle(**cycle) for category, cycle in parameters["cycles"].items()}
    return WorthModel(BgNbd(**parameters["buying"]), value), cycles
