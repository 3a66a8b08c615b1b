"""The catalogue that ships, put into the database."""

from psycopg.types.json import Jsonb

from catalogue.entries import Catalogue
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("catalogue")


def seed_catalogue(conn: WriteConnection, catalogue: Catalogue) -> None:
    """Add or renew products and compatibility edges, in one transaction."""
    with conn.transaction():
        for product in catalogue.products:
            conn.execute(_Q["upsert_product"], product.model_dump() | {"name": Jsonb(product.name)})
        for edge in catalogue.compatibility:
            conn.execute(_Q["upsert_compatibility"], edge.model_dump())
