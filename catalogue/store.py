"""One function, one statement: products."""

from catalogue.nouns import Product
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import Sku
from millpond.kernel.money import Money

_Q = load_queries("catalogue")


def select_product(conn: ReadConnection, sku: Sku) -> Product | None:
    """The product with this SKU."""
    row = conn.execute(_Q["select_product"], {"sku": sku}).fetchone()
    return Product(row[0], row[1], row[2], Money(row[3], row[4])) if row else None
