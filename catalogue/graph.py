"""Use case: put edges into the compatibility graph, and read it whole."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from catalogue.entries import EdgeEntry
from catalogue.nouns import CompatibilityEdge, Relation
from catalogue.products import lock_catalogue
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import Conflict, NotFound

_Q = load_queries("catalogue")


@dataclass(frozen=True, slots=True)
class EdgesPut:
    """How many edges were new, and how many of the others changed."""

    added: int
    changed: int


def put_edges(conn: WriteConnection, edges: Sequence[EdgeEntry], *, imported: bool) -> EdgesPut:
    """Add or renew `edges` (each pair and relation once) between products that are there, in one transaction.

    `imported` edges are left alone by `millpond migrate` from now on.
    """
    with conn.transaction():
        lock_catalogue(conn)
        rows = Jsonb([edge.model_dump(mode="json") for edge in edges])
        put = conn.execute(_Q["upsert_edges"], {"edges": rows, "imported": imported}).fetchall()
    added = sum(is_new for (is_new,) in put)
    return EdgesPut(added, len(put) - added)


def remove_edge(conn: WriteConnection, from_sku: str, relation: Relation, to_sku: str) -> None:
    """Take an imported edge out of the graph.

    Raises NotFound when there is no such edge, Conflict for one that ships with Millpond: it would come back.
    """
    edge = {"from_sku": from_sku, "relation": relation, "to_sku": to_sku}
    said = f"{from_sku[:80]} to {to_sku[:80]} as {relation}"
    with conn.transaction():
        lock_catalogue(conn)
        if conn.execute(_Q["delete_imported_edge"], edge).rowcount:
            return
        if conn.execute(_Q["select_edge"], edge).rowcount:
            raise Conflict(f"{said} ships with Millpond and would come back: an incompatible edge outweighs it")
        raise NotFound(f"there is no edge from {said}")


def select_edges(conn: ReadConnection) -> list[CompatibilityEdge]:
    """The whole graph, by its ends."""
    with conn.cursor(row_factory=kwargs_row(_edge)) as cursor:
        return cursor.execute(_Q["select_edges"]).fetchall()


def _edge(*, relation: str, **same: Any) -> CompatibilityEdge:
    return CompatibilityEdge(relation=Relation(relation), **same)


def select_known_skus(conn: ReadConnection, skus: Collection[str]) -> frozenset[str]:
    """Those of `skus` that are products."""
    return frozenset(sku for (sku,) in conn.execute(_Q["select_known_skus"], {"skus": list(skus)}))
