"""By which names a customer is known, and whom a name means."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import CustomerId

Identifier = tuple[Namespace, str]
"""A list of names, and a key in it."""

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


def note_identifiers(conn: WriteConnection, named: Iterable[Identifier], *, at: datetime) -> dict[Identifier, int]:
    """The id of each of these values, of which new ones are noted. Nothing is said of whose they are."""
    wanted = sorted(set(named))
    values = {"namespaces": [namespace for namespace, _ in wanted], "keys": [key for _, key in wanted], "at": at}
    conn.execute(_Q["insert_identifiers"], values)
    rows = conn.execute(_Q["select_identifiers"], values)
    return {(Namespace(namespace), key): identifier_id for namespace, key, identifier_id in rows}


def select_logins(conn: ReadConnection, keys: Iterable[str]) -> frozenset[str]:
    """Which of some keys are the brand's own, of a customer of now."""
    values = {"namespace": Namespace.EXTERNAL, "keys": list(keys)}
    return frozenset(key for (key,) in conn.execute(_Q["select_logins"], values))


def add_identifier(
    conn: WriteConnection,
    customer_id: CustomerId,
    namespace: Namespace,
    key: str,
    *,
    at: datetime,
    because: str = "registered",
    evidence: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """From `at` on the key leads to this customer; the first time, what was done under it before is theirs too.

    `because` is a word for what links them, and `evidence` what proves it. Raises Conflict when the key leads to
    somebody already.
    """
    identifier_id = note_identifiers(conn, [(namespace, key)], at=at)[namespace, key]
    values = {
        "identifier_id": identifier_id,
        "customer_id": customer_id,
        "at": at,
        "because": because,
        "evidence": Jsonb(dict(evidence)),
    }
    with refusing(conn, _REFUSALS):
        conn.execute(_Q["lock_identifier"], values)
        conn.execute(_Q["insert_link"], values)
