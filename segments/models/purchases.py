"""From the days on which customers bought to what the models need of them; pure."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from millpond.kernel.arrays import Bools, Floats, Ints, to_us
from millpond.kernel.records import Records
from segments.models.worth import Purchases

_DAY_US = 86_400_000_000
_RECENT_DAYS = 90


def to_days(at: datetime) -> float:
    """A moment as days since 1970."""
    return to_us(at) / _DAY_US


def to_moments(days: Floats) -> Ints:
    """Days since 1970 as microseconds since then."""
    return np.rint(days * _DAY_US).astype(np.int64)


def summarise_purchases(rows: Records, at: datetime) -> tuple[Ints, Purchases]:
    """(place, what they bought) of each who bought, from rows as `select_purchases` orders them."""
    places, starts = np.unique(rows["place"], return_index=True)
    if not len(places):
        return places, Purchases(*(np.empty(0, np.int64) for _ in range(6)))
    who = np.repeat(np.arange(len(places)), np.diff([*starts, len(rows)]))
    first, last = rows["day"][starts], rows["day"][[*starts[1:] - 1, len(rows) - 1]]
    new_day = np.ones(len(rows), np.int64)
    new_day[1:] = (who[1:] != who[:-1]) | (rows["day"][1:] != rows["day"][:-1])
    repeats = np.bincount(who, new_day).astype(np.int64) - 1
    currency, paid_in, spent = _main_currency(rows, who, rows["day"] > first[who])
    return places, Purchases(repeats, last - first, int(to_days(at)) - first, currency, paid_in, spent)


def _main_currency(rows: Records, who: Ints, later: Bools) -> tuple[Ints, Ints, Ints]:
    """The currency in which each paid most often; and after the first day, how often they paid in it and how much."""
    pairs, where = np.unique(np.stack([who, rows["currency"]]), axis=1, return_inverse=True)
    where = where.ravel()
    paid = np.bincount(where)
    best = np.lexsort((-pairs[1], paid, pairs[0]))
    # The last of each customer's pairs in that order is the one paid in most often; of two alike the first one.
    mains = best[np.append(np.diff(pairs[0][best]) > 0, True)]
    after_first = np.bincount(where, later, minlength=len(paid)).astype(np.int64)
    spent = np.bincount(where, np.where(later, rows["net"], 0), minlength=len(paid)).astype(np.int64)
    return pairs[1][mains], after_first[mains], spent[mains]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A row for each customer and category they bought of: on how many days, first and last when (days since 1970).

    `log_mean` is the mean of the logarithms of the gaps between these days, `log_squares` their squares around it; both
    0 without a gap. `recent` counts the days within the last 90.
    """

    place: Ints
    category: Ints
    purchases: Ints
    first: Floats
    last: Floats
    log_mean: Floats
    log_squares: Floats
    recent: Ints


def summarise_pairs(rows: Records, day: float) -> Pairs:
    """What customers had bought by `day`, from rows as `select_category_purchases` orders them."""
    rows = rows[(rows["placed"] <= day) & (rows["undone"] > day)]
    key = np.stack([rows["place"], rows["category"], np.floor(rows["placed"]).astype(np.int64)])
    rows = rows[_changes(key)]
    key = key[:2, _changes(key)]
    starts = np.flatnonzero(_changes(key))
    who = np.cumsum(_changes(key)) - 1
    placed = rows["placed"]
    later = np.flatnonzero(~_changes(key))
    logs = np.log(placed[later] - placed[later - 1])
    count = np.bincount(who, minlength=len(starts))
    gaps = np.maximum(count - 1, 1)
    mean = np.bincount(who[later], logs, minlength=len(starts)) / gaps
    around = np.bincount(who[later], np.square(logs - mean[who[later]]), minlength=len(starts)).astype(np.float64)
    ends = np.append(starts[1:], len(rows)) - 1
    recent = np.bincount(who, placed > day - _RECENT_DAYS, minlength=len(starts)).astype(np.int64)
    place, category = key[:, starts]
    return Pairs(place, category, count, placed[starts], placed[ends[: len(starts)]], mean, around, recent)


def bought_between(rows: Records, after: float, until: float) -> Records:
    """The rows of orders that were placed in these days, after the one and up to the other, and stand at the end."""
    return rows[(rows["placed"] > after) & (rows["placed"] <= until) & (rows["undone"] > until)]


def _changes(key: Ints) -> Bools:
    """Whether each column of `key` differs from the one before it."""
    changed = np.ones(key.shape[1], np.bool_)
    changed[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    return changed
