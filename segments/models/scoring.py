"""Scoring a page of customers by the fitted models, and keeping the scores."""

from datetime import datetime
from typing import Protocol

import numpy as np

from millpond.kernel.arrays import Ints
from millpond.kernel.db import WriteConnection
from segments.models.cycles import CategoryCycle, Cycles, score_cycles
from segments.models.features import build_features
from segments.models.fitting import worth_from_json
from segments.models.population import People
from segments.models.propensity import MOST_PAIRS, load_propensity, read_known
from segments.models.purchases import Pairs, summarise_pairs, summarise_purchases, to_days
from segments.models.store import Fitted, replace_cycles, replace_propensities, replace_values
from segments.models.traces import select_category_purchases, select_purchases
from segments.models.worth import score_worth

LEAST_PROPENSITY = 0.01
"""What is less probable has no row."""


class Scorer(Protocol):
    """Scores pages of at most `most_people`; `score` says how many rows it kept of what."""

    most_people: int

    def score(self, conn: WriteConnection, page: People) -> dict[str, int]:
        """Score these customers in the caller's transaction."""
        ...


class WorthScorer:
    """What customers are worth, and when they buy again."""

    def __init__(self, fitted: Fitted, at: datetime, made_at: datetime, discount_bp: int) -> None:
        self.most_people = MOST_PAIRS
        self._fitted, self._at, self._made_at, self._discount = fitted, at, made_at, discount_bp / 10_000
        self._model, self._cycles = worth_from_json(fitted.parameters)

    def score(self, conn: WriteConnection, page: People) -> dict[str, int]:
        """Keep values and cycles of those who bought."""
        places, purchases = summarise_purchases(select_purchases(conn, page.ids, self._at), self._at)
        worth = score_worth(self._model, purchases, yearly_discount=self._discount)
        ids = [page.ids[place] for place in places.tolist()]
        replace_values(
            conn, page, ids, purchases, worth, model_id=self._fitted.model_id, at=self._at, made_at=self._made_at
        )
        return {"values": len(ids), "cycles": self._score_cycles(conn, page)}

    def _score_cycles(self, conn: WriteConnection, page: People) -> int:
        categories = sorted(self._cycles)
        pairs = summarise_pairs(select_category_purchases(conn, page.ids, categories, self._at), to_days(self._at))
        cycles = cycles_of(pairs, [self._cycles[category] for category in categories])
        replace_cycles(conn, page, categories, pairs, cycles, at=self._at)
        return len(pairs.place)


class PropensityScorer:
    """How probable it is that customers of whom anything is known buy of each category."""

    def __init__(self, fitted: Fitted, at: datetime) -> None:
        assert fitted.body is not None
        self._fitted, self._at = fitted, at
        self._categories: list[str] = fitted.parameters["categories"]
        self._predict = load_propensity(fitted.body, fitted.parameters)
        self.most_people = max(MOST_PAIRS // len(self._categories), 1)

    def score(self, conn: WriteConnection, page: People) -> dict[str, int]:
        """Keep what is not too improbable."""
        rows = select_category_purchases(conn, page.ids, self._categories, self._at)
        known = read_known(conn, page, self._categories, rows, self._at)
        traced = np.flatnonzero(np.repeat(known.traced(), len(self._categories)))
        probability = self._predict(build_features(known)[traced]) if len(traced) else np.empty(0)
        likely = probability >= LEAST_PROPENSITY
        places, numbers = _split(traced[likely], len(self._categories))
        replace_propensities(
            conn,
            page,
            self._categories,
            places=places,
            of_categories=numbers,
            propensities=probability[likely],
            model_id=self._fitted.model_id,
            at=self._at,
        )
        return {"propensities": len(places)}


def cycles_of(pairs: Pairs, cycles: list[CategoryCycle]) -> Cycles:
    """The cycle of each pair, by the number of its category."""
    scored = Cycles(*(np.empty(len(pairs.place)) for _ in range(3)))
    for number, cycle in enumerate(cycles):
        of_it = pairs.category == number
        some = score_cycles(cycle, pairs.purchases[of_it] - 1, pairs.log_mean[of_it])
        scored.median_days[of_it], scored.early_days[of_it] = some.median_days, some.early_days
        scored.late_days[of_it] = some.late_days
    return scored


def _split(pairs: Ints, categories: int) -> tuple[list[int], list[int]]:
    places, numbers = np.divmod(pairs, categories)
    return places.tolist(), numbers.tolist()
