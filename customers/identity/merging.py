"""Two customers who were found to be one, and the undoing of that.

A merge moves no row: what was done under an id stays under it, and whose an id is now is looked up (the view `person`).
So an undo brings back what was, and what was done after the merge stays with whom it was done under.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from customers.accounts import lock_customers
from customers.identity.deciding import Found
from customers.identity.nouns import Merge, MergeId
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, new_id

_Q = load_queries("customers.identity")


def merge_customers(
    conn: WriteConnection,
    survivor: CustomerId,
    absorbs: CustomerId,
    *,
    because: str,
    evidence: Mapping[str, Any],
    by: str,
    at: datetime,
) -> Merge:
    """From now on whoever `absorbs` is now is one with `survivor`, who stays; in the caller's transaction.

    Raises NotFound for an unknown customer, InvalidInput for one with themselves, Conflict for two who are one already.
    """
    if survivor == absorbs:
        raise InvalidInput(f"customer {survivor} cannot be merged with themselves")
    stays, goes = (lock_customers(conn, [survivor, absorbs])[each].customer_id for each in (survivor, absorbs))
    if stays == goes:
        raise Conflict(f"customers {survivor} and {absorbs} are one already")
    merge = Merge(MergeId(new_id("mrg")), goes, stays, at, because, evidence, by, None, None)
    _insert_merges(conn, [merge])
    return merge


def undo_merge(conn: WriteConnection, merge_id: MergeId, *, by: str, at: datetime) -> Merge:
    """Both are again who they were at the merge, with what was merged into either of them since.

    Raises NotFound for an unknown merge, Conflict for one that was undone before.
    """
    merge = select_merge(conn, merge_id)
    if merge is None:
        raise NotFound(f"merge {merge_id} is not known")
    together = lock_customers(conn, [merge.absorbed])[merge.absorbed].customer_id
    undone = conn.execute(_Q["undo_merge"], {"merge_id": merge_id, "by": by, "at": at}).rowcount
    merge = select_merge(conn, merge_id)
    assert merge is not None
    if not undone:
        raise Conflict(f"merge {merge_id} was undone already, at {merge.undone_at} by {merge.undone_by}")
    _derive(conn, [together])
    return merge


def merge_found(conn: WriteConnection, found: Sequence[Found], *, by: str, at: datetime) -> int:
    """Merge all pairs that claims showed to be one; how many were not one already."""
    if not found:
        return 0
    named = {each for pair in found for each in (pair.absorbed, pair.survivor)}
    now = {known_as: customer.customer_id for known_as, customer in lock_customers(conn, named).items()}
    merges: list[Merge] = []
    for pair in found:
        goes, stays = _follow(now, pair.absorbed), _follow(now, pair.survivor)
        if goes != stays:
            claim = pair.claim
            merges.append(Merge(MergeId(new_id("mrg")), goes, stays, at, claim.because, claim.evidence, by, None, None))
            now[goes] = stays
    _insert_merges(conn, merges)
    return len(merges)


def _follow(now: Mapping[CustomerId, CustomerId], customer_id: CustomerId) -> CustomerId:
    while (leads_to := now.get(customer_id, customer_id)) != customer_id:
        customer_id = leads_to
    return customer_id


def select_merge(conn: ReadConnection, merge_id: MergeId) -> Merge | None:
    """One merge, also one that was undone."""
    with conn.cursor(row_factory=class_row(Merge)) as cursor:
        return cursor.execute(_Q["select_merge"], {"merge_id": merge_id}).fetchone()


def select_merges_of(conn: ReadConnection, customer_id: CustomerId) -> list[Merge]:
    """All merges of who is now one person with a customer, newest first, and those that were undone."""
    with conn.cursor(row_factory=class_row(Merge)) as cursor:
        return cursor.execute(_Q["select_merges_of"], {"customer_id": customer_id}).fetchall()


def _insert_merges(conn: WriteConnection, merges: Collection[Merge]) -> None:
    for merge in merges:
        values = {
            "merge_id": merge.merge_id,
            "absorbed": merge.absorbed,
            "survivor": merge.survivor,
            "at": merge.merged_at,
            "because": merge.because,
            "evidence": Jsonb(dict(merge.evidence)),
            "by": merge.merged_by,
        }
        conn.execute(_Q["insert_merge"], values)
    _derive(conn, {each for merge in merges for each in (merge.absorbed, merge.survivor)})


def _derive(conn: WriteConnection, persons: Collection[CustomerId]) -> None:
    """Say of everybody who was one of some persons whose they are now, by the merges that are not undone."""
    conn.execute(_Q["derive_merged_into"], {"persons": list(persons)})
