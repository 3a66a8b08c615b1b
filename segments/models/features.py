"""What is known of a customer and a category at a moment, as numbers for a model; pure.

A row for each customer and category, customer by customer. NaN says that nothing is known; trees have a branch for it.
"""

from dataclasses import dataclass

import numpy as np

from millpond.kernel.arrays import Bools, Floats, Ints
from millpond.kernel.records import Records
from segments.models.boosting import Matrix
from segments.models.purchases import Pairs

CATEGORY = "category"
_OF_THE_PAIR = [
    "bought",
    "bought_90_days",
    "since_bought",
    "gap",
    "gap_position",
    "looks_7_days",
    "looks_30_days",
    "wants_30_days",
    "since_seen",
    "devices_that_use_it",
]
_OF_THE_CUSTOMER = ["categories_bought", "since_any", "since_first", "events_30_days", "devices", "newest_device"]
FEATURES = [CATEGORY, *_OF_THE_PAIR, *_OF_THE_CUSTOMER]
BOUGHT, SINCE_BOUGHT = FEATURES.index("bought"), FEATURES.index("since_bought")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some customers at `day`: `behaviour` and `devices` as `traces` reads them, ordered.

    `may_use_devices` has a row a customer; of those who do not agree `devices` has nothing.
    """

    day: float
    categories: int
    may_use_devices: Bools
    pairs: Pairs
    behaviour: Records
    devices: Records

    def traced(self) -> Bools:
        """Of whom anything is known: whoever bought, did or owns something."""
        traced = np.zeros(len(self.may_use_devices), np.bool_)
        for places in (self.pairs.place, self.behaviour["place"], self.devices["place"]):
            traced[places] = True
        return traced


def build_features(known: Known) -> Matrix:
    """One row for each customer and category, in the order of `FEATURES`."""
    columns = dict(
        zip(
            FEATURES,
            np.full((len(FEATURES), len(known.may_use_devices), known.categories), np.nan, np.float32),
            strict=True,
        )
    )
    columns[CATEGORY][:] = np.arange(known.categories)
    _put_purchases(columns, known)
    _put_behaviour(columns, known.behaviour, known.day)
    _put_devices(columns, known)
    return np.stack([column.ravel() for column in columns.values()], axis=1)


_Columns = dict[str, Matrix]


def _put_purchases(columns: _Columns, known: Known) -> None:
    pairs, day, customers = known.pairs, known.day, len(known.may_use_devices)
    at = (pairs.place, pairs.category)
    since = day - pairs.last
    # The mean gap of those who bought twice or more; its logarithm's mean resists one long holiday.
    gap = np.where(pairs.purchases > 1, np.exp(pairs.log_mean), np.nan)
    _put(columns["bought"], at, pairs.purchases, otherwise=0)
    _put(columns["bought_90_days"], at, pairs.recent, otherwise=0)
    _put(columns["since_bought"], at, since)
    _put(columns["gap"], at, gap)
    _put(columns["gap_position"], at, since / gap)
    columns["categories_bought"][:] = np.bincount(pairs.place, minlength=customers)[:, None]
    columns["since_any"][:] = day - _most(pairs.place, pairs.last, customers)[:, None]
    columns["since_first"][:] = day + _most(pairs.place, -pairs.first, customers)[:, None]


def _put_behaviour(columns: _Columns, rows: Records, day: float) -> None:
    of_category = rows[rows["category"] >= 0]
    at = (of_category["place"], of_category["category"])
    _put(columns["looks_7_days"], at, of_category["looks_7"], otherwise=0)
    _put(columns["looks_30_days"], at, of_category["looks"], otherwise=0)
    _put(columns["wants_30_days"], at, of_category["wants"], otherwise=0)
    _put(columns["since_seen"], at, day - of_category["last"])
    customers = len(columns["events_30_days"])
    columns["events_30_days"][:] = np.bincount(rows["place"], rows["events"], minlength=customers)[:, None]


def _put_devices(columns: _Columns, known: Known) -> None:
    rows = known.devices
    uses, at_all = rows[rows["category"] >= 0], rows[rows["category"] < 0]
    _put(columns["devices_that_use_it"], (uses["place"], uses["category"]), uses["devices"], otherwise=0)
    customers = len(known.may_use_devices)
    columns["devices"][:] = np.bincount(at_all["place"], at_all["devices"], minlength=customers)[:, None]
    columns["newest_device"][:] = known.day - _most(at_all["place"], at_all["newest"], customers)[:, None]
    for name in ("devices_that_use_it", "devices", "newest_device"):
        columns[name][~known.may_use_devices] = np.nan


def _put(column: Matrix, at: tuple[Ints, Ints], values: Floats | Ints, *, otherwise: float = np.nan) -> None:
    column[:] = otherwise
    column[at] = values


def _most(places: Ints, values: Floats, customers: int) -> Floats:
    """The largest value of each customer; NaN for one without any."""
    most = np.full(customers, -np.inf)
    np.maximum.at(most, places, values)
    return np.where(np.isinf(most), np.nan, most)
