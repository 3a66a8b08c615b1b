"""One function, one statement: products and what fits them."""

from catalogue.nouns import CompatibilityEdge, Product, Relation
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import Sku
from millpond.kernel.money import Money

_Q = load_queries("catalogue")


def select_product(conn: ReadConnection, sku: Sku) -> Product | None:
    """The product with this SKU."""
    row = conn.execute(_Q["select_product"], {"sku": sku}).fetchone()
    return Product(row[0], row[1], row[2], Money(row[3], row[4])) if row else None


def select_compatible(conn: ReadConnection, sku: Sku) -> list[CompatibilityEdge]:
    """What would join the product, heaviest first. An incompatible edge in either direction wins over any other."""
    rows = conn.execute(_Q["select_compatible"], {"sku": sku}).fetchall()
    return [CompatibilityEdge(row[0], row[1], Relation(row[2]), *row[3:]) for row in rows]
