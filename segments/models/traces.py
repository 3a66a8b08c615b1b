"""What is known of some customers at a moment, as columns; `place` and `category` are places in the lists given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId
from millpond.kernel.money import DECIMALS
from millpond.kernel.records import Records, copy_records

_Q = load_queries("segments.models")
CURRENCIES = sorted(DECIMALS)
"""The currencies by their number."""
BEHAVIOUR_DAYS = 30
_LOOKS = ["Product Viewed", "Product Clicked", "Product Tried", "Tag Scanned"]
_WANTS = ["Product Added", "Product Added to Wishlist", "Checkout Started", "Product Shared"]


def _fields(whole: str, parts: str = "") -> np.dtype[Any]:
    return np.dtype([(name, "i8") for name in whole.split()] + [(name, "f8") for name in parts.split()])


_PURCHASE = _fields("place day currency net")
_CATEGORY_PURCHASE = _fields("place category", "placed undone")
_BEHAVIOUR = _fields("place category looks_7 looks wants events", "last")
_DEVICES = _fields("place category devices", "newest")


def select_purchases(conn: ReadConnection, ids: Sequence[CustomerId], at: datetime) -> Records:
    """(place, day since 1970, currency, net in minor units) of each day on which somebody bought, by place and day."""
    values = {"customer_ids": list(ids), "at": at, "currencies": CURRENCIES}
    return np.sort(copy_records(conn, _Q["copy_purchases"], values, _PURCHASE))


def select_category_purchases(
    conn: ReadConnection, ids: Sequence[CustomerId], categories: Sequence[str], at: datetime
) -> Records:
    """(place, category, placed, undone) of each category in each order, in order; times in days since 1970.

    `undone` is infinity for an order that stands.
    """
    values = {"customer_ids": list(ids), "categories": list(categories), "at": at}
    return np.sort(copy_records(conn, _Q["copy_category_purchases"], values, _CATEGORY_PURCHASE))


def select_behaviour(
    conn: ReadConnection, ids: Sequence[CustomerId], categories: Sequence[str], at: datetime
) -> Records:
    """How often each looked at a category, wanted something of it and did anything in the 30 days up to `at`."""
    values = {"customer_ids": list(ids), "categories": list(categories), "at": at, "days": BEHAVIOUR_DAYS}
    values |= {"looks": _LOOKS, "wants": _WANTS}
    return np.sort(copy_records(conn, _Q["copy_behaviour"], values, _BEHAVIOUR))


def select_devices(conn: ReadConnection, ids: Sequence[CustomerId], categories: Sequence[str], at: datetime) -> Records:
    """How many devices each owns at `at` that use up what a category has; ask for those who agree only."""
    values = {"customer_ids": list(ids), "categories": list(categories), "at": at}
    return np.sort(copy_records(conn, _Q["copy_devices"], values, _DEVICES))


def select_categories(conn: ReadConnection) -> list[str]:
    """All categories of what is sold."""
    return [category for (category,) in conn.execute(_Q["select_categories"])]
