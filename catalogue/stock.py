"""Use case: how many units of a product there are, where anybody counts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("catalogue")


@dataclass(frozen=True, slots=True)
class StockLevel:
    """So many units; None when they are counted and nobody knows how many there are."""

    units: int | None
    tracked: bool = True


UNTRACKED = StockLevel(None, tracked=False)
"""The product's units are not counted."""


def put_stock(conn: WriteConnection, levels: Mapping[str, StockLevel], *, at: datetime) -> frozenset[str]:
    """Keep what was told at `at`, by SKU; the SKUs for which it is something new. In the caller's transaction."""
    told = [{"sku": sku, "units": level.units} for sku, level in levels.items() if level.tracked]
    new = conn.execute(_Q["upsert_stock"], {"levels": Jsonb(told), "at": at}).fetchall()
    untracked = [sku for sku, level in levels.items() if not level.tracked]
    gone = conn.execute(_Q["delete_stock"], {"skus": untracked}).fetchall()
    return frozenset(sku for (sku,) in new + gone)
