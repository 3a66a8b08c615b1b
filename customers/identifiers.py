"""By which names a customer is known, and whom a name means."""

from datetime import datetime
from functools import partial

from psycopg.rows import scalar_row

from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers")
_REFUSALS: Refusals = {
    "customer_identifier_current": partial(Conflict, "that external key already belongs to a customer")
}


def resolve_customer(conn: ReadConnection, named: str) -> CustomerId | None:
    """Whom a token's subject, a path or a body names: by an id of ours, else by the brand's own key; None for nobody.

    The edge calls this once for each name that it is given, and everything below the edge takes the id that it returns.
    What is guaranteed: that customer exists and was not merged into another. An id always wins over a key, so nobody
    becomes somebody else by the spelling of their key.
    """
    with conn.cursor(row_factory=scalar_row) as cursor:
        values = {"named": named, "namespace": Namespace.EXTERNAL}
        found: CustomerId | None = cursor.execute(_Q["resolve_customer"], values).fetchone()
    return found


def add_identifier(
    conn: WriteConnection, customer_id: CustomerId, namespace: Namespace, key: str, *, at: datetime
) -> None:
    """From `at` on the key leads to this customer. Raises Conflict when it leads to somebody already."""
    with refusing(conn, _REFUSALS):
        values = {"customer_id": customer_id, "namespace": namespace, "key": key, "at": at}
        conn.execute(_Q["insert_identifier"], values)
