"""Interests that a customer struck out: nothing is concluded from them about that customer again."""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers")
_REFUSALS: Refusals = {
    "tag_objection_bounds": partial(InvalidInput, "a tag has 1 to 200 characters"),
    "tag_objection_source": partial(InvalidInput, "a source is a word in small letters, like app, web or store"),
    "tag_objection_customer_id_fkey": partial(InvalidInput, "that customer is not known"),
}


def object_to_tag(conn: WriteConnection, customer_id: CustomerId, tag: str, *, at: datetime, source: str) -> None:
    """The customer struck out an interest. Queries of other packages read the view `objected_tag`."""
    with refusing(conn, _REFUSALS):
        values = {"customer_id": customer_id, "tag": tag, "at": at, "source": source}
        conn.execute(_Q["insert_tag_objection"], values)


def allow_tag(conn: WriteConnection, customer_id: CustomerId, tag: str) -> None:
    """The customer lets an interest count again; nothing happens where they had not struck it out."""
    conn.execute(_Q["delete_tag_objection"], {"customer_id": customer_id, "tag": tag})


def select_objected_tags(
    conn: ReadConnection, customer_ids: Collection[CustomerId]
) -> dict[CustomerId, frozenset[str]]:
    """For each of some customers (none of them merged) the interests that they struck out."""
    struck: dict[CustomerId, set[str]] = {customer_id: set() for customer_id in customer_ids}
    for customer_id, tag in conn.execute(_Q["select_objected_tags"], {"customer_ids": list(struck)}):
        struck[customer_id].add(tag)
    return {customer_id: frozenset(tags) for customer_id, tags in struck.items()}
