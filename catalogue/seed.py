"""The catalogue that ships, and a user's own, put into the database; what an operator has is left as they want it."""

from datetime import datetime

import psycopg

from catalogue.entries import Catalogue
from catalogue.graph import put_edges
from catalogue.products import lock_catalogue, put_products
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.errors import InvalidInput
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
        own = set(conn.execute(_Q["select_imported_edges"]))
        edges = [edge for edge in catalogue.compatibility if (edge.from_sku, edge.to_sku, edge.relation) not in own]
        put_edges(conn, edges, imported=False)


def take_in_catalogue(conn: WriteConnection, catalogue: Catalogue, *, at: datetime) -> None:
    """Add or renew a user's own products and edges, which what ships then leaves alone, in one transaction.

    Raises InvalidInput when an edge names a product that is not there.
    """
    try:
        with conn.transaction():
            put_products(conn, catalogue.products, at=at, imported=True, languages=LANGUAGES)
            put_edges(conn, catalogue.compatibility, imported=True)
    except psycopg.errors.ForeignKeyViolation as error:
        raise InvalidInput(f"an edge names a product that is not there: {error.diag.message_detail}") from error
    except psycopg.errors.CheckViolation as error:
        raise InvalidInput(f"an edge cannot be: {error.diag.message_primary}") from error
