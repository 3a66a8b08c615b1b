"""Use case: put products into the catalogue, each with its names, attributes and price."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.types.json import Jsonb

from catalogue.entries import ProductEntry
from millpond.kernel.db import Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict

_Q = load_queries("catalogue")


@dataclass(frozen=True, slots=True)
class ProductsPut:
    """The SKUs that were new, that changed in anything, and whose price changed (these are among the changed)."""

    added: frozenset[str]
    changed: frozenset[str]
    repriced: frozenset[str]


def put_products(
    conn: WriteConnection,
    products: Sequence[ProductEntry],
    *,
    at: datetime,
    imported: bool,
    languages: Sequence[str] = (),
    attributes: Sequence[str] = (),
) -> ProductsPut:
    """Add or renew `products` (each SKU once), in one transaction. A price that differs holds from `at` on.

    A stored name in one of `languages`, or one of the stored `attributes`, goes where a product says none; others
    stay. `imported` products are left alone by `millpond migrate` from now on. Raises Conflict when a price was
    changed after `at` already.
    """
    given = {"products": Jsonb([_row(entry, languages, attributes) for entry in products]), "at": at}
    with refusing(conn, _refusals(at)):
        lock_catalogue(conn)
        put = conn.execute(_Q["upsert_products"], given | {"imported": imported}).fetchall()
        repriced = frozenset(sku for (sku,) in conn.execute(_Q["end_prices"], given))
        conn.execute(_Q["insert_prices"], given)
    added = frozenset(sku for sku, is_new in put if is_new)
    return ProductsPut(added, frozenset(sku for sku, _ in put) - added | repriced, repriced)


def lock_catalogue(conn: WriteConnection) -> None:
    """Let nobody else write to the catalogue until the transaction ends."""
    conn.execute(_Q["lock_catalogue"])


def _row(entry: ProductEntry, languages: Sequence[str], attributes: Sequence[str]) -> dict[str, Any]:
    """What the statement takes: null is a name or an attribute that goes."""
    names: dict[str, Any] = dict.fromkeys(languages) | entry.name
    return entry.model_dump() | {"name": names, "attributes": dict.fromkeys(attributes) | entry.attributes}


def _refusals(at: datetime) -> Refusals:
    late = f"a price was changed after {at.isoformat()} already: set the clock right, and import again"
    return {"product_price_not_empty": partial(Conflict, late)}
