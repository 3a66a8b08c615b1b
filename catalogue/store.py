"""One function, one statement: what is sold at a moment, and at what price."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from catalogue.nouns import Product
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import Sku
from millpond.kernel.money import Money

_Q = load_queries("catalogue")


def select_product(conn: ReadConnection, sku: Sku, *, at: datetime) -> Product | None:
    """The product with this SKU at the price of `at`; None when it is not sold then."""
    with conn.cursor(row_factory=kwargs_row(_product)) as cursor:
        return cursor.execute(_Q["select_product"], {"sku": sku, "at": at}).fetchone()


def select_products_of(conn: ReadConnection, skus: Collection[Sku], *, at: datetime) -> dict[Sku, Product]:
    """Those of `skus` that are sold at `at`, at the price of then."""
    with conn.cursor(row_factory=kwargs_row(_product)) as cursor:
        rows = cursor.execute(_Q["select_products_of"], {"skus": list(skus), "at": at})
        return {product.sku: product for product in rows}


def select_products(conn: ReadConnection, *, at: datetime, after: str = "", limit: int = 50) -> list[Product]:
    """Up to `limit` products that are sold at `at`, with a SKU above `after`, in that order."""
    with conn.cursor(row_factory=kwargs_row(_product)) as cursor:
        return cursor.execute(_Q["select_products"], {"at": at, "after": after, "limit": limit}).fetchall()


def select_prices(conn: ReadConnection, skus: Collection[Sku], *, at: datetime) -> dict[Sku, Money]:
    """What each of `skus` costs at `at`; one that is not sold then is not among them."""
    rows = conn.execute(_Q["select_prices"], {"skus": list(skus), "at": at})
    return {Sku(sku): Money(price_minor, currency) for sku, price_minor, currency in rows}


def select_names(conn: ReadConnection, skus: Collection[str]) -> dict[str, dict[str, str]]:
    """The names of `skus` by language, also of what is not sold any more."""
    return dict(conn.execute(_Q["select_names"], {"skus": list(skus)}))


def select_products_of_numbers(conn: ReadConnection, numbers: Collection[str]) -> dict[str, list[Sku]]:
    """Products by a number that the trade has for them: their attribute `gtin`, `ean`, `upc`, `oem` or `mpn`, or the
    SKU."""
    found: dict[str, list[Sku]] = {}
    for number, sku in conn.execute(_Q["select_products_of_numbers"], {"numbers": list(numbers)}):
        found.setdefault(number, []).append(Sku(sku))
    return found


def _product(*, price_minor: int, currency: str, **same: Any) -> Product:
    return Product(price=Money(price_minor, currency), **same)
