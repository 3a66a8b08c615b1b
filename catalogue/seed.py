"""The catalogue that ships, put into the database; what an operator imported is left as they want it."""

from datetime import datetime

from catalogue.entries import Catalogue
from catalogue.products import lock_catalogue, put_products
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.language import LANGUAGES

_Q = load_queries("catalogue")


def seed_catalogue(conn: WriteConnection, catalogue: Catalogue, *, at: datetime) -> None:
    """Add or renew products and compatibility edges, in one transaction; a price that is new holds from `at` on."""
    with conn.transaction():
        lock_catalogue(conn)
        skus = [product.sku for product in catalogue.products]
        imported = {sku for (sku,) in conn.execute(_Q["select_imported_skus"], {"skus": skus})}
        shipped = [product for product in catalogue.products if product.sku not in imported]
        put_products(conn, shipped, at=at, imported=False, languages=LANGUAGES)
        for edge in catalogue.compatibility:
            conn.execute(_Q["upsert_compatibility"], edge.model_dump())
