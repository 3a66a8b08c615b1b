"""Which categories customers will buy of in the coming days: trees, calibrated on later days than they learned from.

Four windows of equal length end at the moment: trees learn from the first two, their probabilities are set right on
the third and measured on the last, beside a simple reference. What is known at the beginning of a window is all that
its rows contain; who bought within it is what they are to tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from millpond.kernel.arrays import Bools, Floats
from millpond.kernel.db import ReadConnection
from millpond.kernel.records import Records
from segments.models.boosting import Matrix, fit_trees, load_trees
from segments.models.calibration import Platt, fit_platt, measure
from segments.models.features import CATEGORY, FEATURES, Known, build_features
from segments.models.population import People
from segments.models.purchases import bought_between, summarise_pairs, to_days
from segments.models.reference import fit_reference
from segments.models.traces import select_behaviour, select_category_purchases, select_devices

MOST_PAIRS = 600_000
"""Pairs of customers and categories that are held in memory at once, each some 70 bytes."""
LEAST_HAPPENED = 30
"""Fewer purchases in a window teach and prove nothing."""
_WINDOWS = 4
_LEAST_BUYERS = 20


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted propensity model with its figures; `body` is its trees."""

    body: str
    parameters: dict[str, Any]
    scores: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The pairs of those of whom something was known at its beginning, and whether each bought within it."""

    features: Matrix
    happened: Bools


def fit_propensity(
    conn: ReadConnection, people: People, categories: Sequence[str], at: datetime, *, horizon: timedelta
) -> Trained | None:
    """Fit on what was known at `at` of these customers. None when too few of them bought.

    Raises ConfigurationError where LightGBM is not installed.
    """
    rows = select_category_purchases(conn, people.ids, categories, at)
    rows, categories = _sold(rows, categories)
    windows = [
        read_window(conn, people, categories, rows, at - back * horizon, horizon) for back in range(_WINDOWS, 0, -1)
    ]
    training = Window(
        *(np.concatenate(pair) for pair in zip(*(_columns(window) for window in windows[:2]), strict=True))
    )
    later, last = windows[2:]
    if min(np.count_nonzero(window.happened) for window in (training, later, last)) < LEAST_HAPPENED:
        return None
    body = fit_trees(training.features, training.happened, names=FEATURES, categorical=[CATEGORY])
    raw = load_trees(body)
    platt = fit_platt(raw(later.features), later.happened)
    reference = fit_reference(training.features, training.happened, len(categories))
    scores = _compare(platt.calibrate(raw(last.features)), reference.predict(last.features), last.happened)
    parameters = {"categories": list(categories), "horizon_days": horizon.days, "platt": asdict(platt)}
    return Trained(body, parameters, scores | {"from": (at - horizon).isoformat(), "until": at.isoformat()})


def _sold(rows: Records, categories: Sequence[str]) -> tuple[Records, list[str]]:
    """Without the categories of which hardly anybody bought: that nobody will is too easily said."""
    buyers = np.bincount(np.unique(rows[["place", "category"]])["category"], minlength=len(categories))
    kept = np.flatnonzero(buyers >= _LEAST_BUYERS)
    rows = rows[np.isin(rows["category"], kept)]
    rows["category"] = np.searchsorted(kept, rows["category"])
    return rows, [categories[number] for number in kept.tolist()]


def _columns(window: Window) -> tuple[Matrix, Bools]:
    return window.features, window.happened


def _compare(probability: Floats, reference: Floats, happened: Bools) -> dict[str, Any]:
    simple = asdict(measure(reference, happened))
    del simple["deciles"]
    counts = {"pairs": len(happened), "happened": int(np.count_nonzero(happened))}
    return counts | asdict(measure(probability, happened)) | {"reference": simple}


def read_window(
    conn: ReadConnection, people: People, categories: Sequence[str], rows: Records, begin: datetime, horizon: timedelta
) -> Window:
    """What was known at `begin`, and who bought in the days after it; `rows` are of the last moment of all windows."""
    known = read_known(conn, people, categories, rows, begin)
    day = to_days(begin)
    happened = np.zeros((len(people), len(categories)), np.bool_)
    bought = bought_between(rows, day, to_days(begin + horizon))
    happened[bought["place"], bought["category"]] = True
    traced = np.repeat(known.traced(), len(categories))
    return Window(build_features(known)[traced], happened.ravel()[traced])


def read_known(conn: ReadConnection, people: People, categories: Sequence[str], rows: Records, at: datetime) -> Known:
    """What was known at `at` of these customers; of their devices only of those who agree."""
    agreeing = np.flatnonzero(people.devices)
    devices = select_devices(conn, [people.ids[i] for i in agreeing.tolist()], categories, at)
    devices["place"] = agreeing[devices["place"]]
    day = to_days(at)
    behaviour = select_behaviour(conn, people.ids, categories, at)
    return Known(day, len(categories), people.devices, summarise_pairs(rows, day), behaviour, devices)


def load_propensity(body: str, parameters: dict[str, Any]) -> Callable[[Matrix], Floats]:
    """A fitted model as a function of features that answers with probabilities."""
    raw, platt = load_trees(body), Platt(**parameters["platt"])
    return lambda features: platt.calibrate(raw(features))
