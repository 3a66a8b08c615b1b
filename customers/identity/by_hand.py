"""By what a person is known, as operators read it, and the links and merges that they make by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from customers.audit.entries import record_audit_of
from customers.identity.hashing import Hashed
from customers.identity.limits import Limits
from customers.identity.linking import link_identities
from customers.identity.merging import merge_customers, undo_merge
from customers.identity.nouns import HASHED, USED_BY_SEVERAL, Claim, Merge, MergeId, Refused, Trust
from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers.identity")
_REFUSED = {
    Refused.BLOCKED_VALUE: "that value is nobody's: too many people write it",
    Refused.TOO_MANY_IDENTIFIERS: "this customer has as many of those as one may have: see "
    "MILLPOND_CUSTOMER_IDENTIFIERS_MAX",
}


@dataclass(frozen=True, slots=True)
class KnownBy:
    """One name of a person, from when until when and why. `key` is None where only an HMAC is kept."""

    namespace: Namespace
    key: str | None
    valid_from: datetime
    valid_until: datetime | None
    because: str
    blocked_because: str | None


def select_known_by(conn: ReadConnection, customer_id: CustomerId, *, limit: int = 200) -> list[KnownBy]:
    """By what a person is or was known, what is in force first; the newest `limit`."""
    with conn.cursor(row_factory=kwargs_row(_known_by)) as cursor:
        return cursor.execute(_Q["select_links_of"], {"customer_id": customer_id, "limit": limit}).fetchall()


def _known_by(
    *,
    namespace: str,
    key: str,
    valid_from: datetime,
    valid_until: datetime | None,
    because: str,
    blocked_because: str | None,
) -> KnownBy:
    named = Namespace(namespace)
    return KnownBy(named, None if named in HASHED else key, valid_from, valid_until, because, blocked_because)


def link_by_hand(
    conn: WriteConnection, customer_id: CustomerId, named: Hashed, *, by: str, at: datetime, limits: Limits
) -> None:
    """From now on a name leads to a customer, because an operator says so. It merges nobody.

    Raises Conflict when it leads to somebody else, is blocked, or is one too many.
    """
    if named.now[0] not in USED_BY_SEVERAL:
        _require_free(conn, customer_id, named)
    claim = Claim(named.now, customer_id, "by_hand", at, {"by": by}, named.before)
    came_to = link_identities(conn, [claim], trust=Trust.OWN, at=at, limits=limits)
    for reason in came_to.refused:
        raise Conflict(_REFUSED.get(reason, f"this was not linked: {reason.replace('_', ' ')}"))
    if customer_id not in _owners(conn, named):
        raise Conflict("that value is blocked, since too many customers had it")
    _record(conn, by, "linked", [customer_id], {"namespace": named.now[0].value}, at)


def merge_by_hand(
    conn: WriteConnection,
    survivor: CustomerId,
    absorbs: CustomerId,
    *,
    evidence: Mapping[str, Any],
    by: str,
    at: datetime,
) -> Merge:
    """Merge as `merge_customers` does, because an operator says so, and write it down in the audit log."""
    merge = merge_customers(conn, survivor, absorbs, because="operator", evidence=evidence, by=by, at=at)
    _record(conn, by, "merged", [merge.survivor, merge.absorbed], {"merge": merge.merge_id}, at)
    return merge


def undo_by_hand(conn: WriteConnection, merge_id: MergeId, *, by: str, at: datetime) -> Merge:
    """Undo as `undo_merge` does, and write it down in the audit log."""
    merge = undo_merge(conn, merge_id, by=by, at=at)
    _record(conn, by, "parted", [merge.survivor, merge.absorbed], {"merge": merge_id}, at)
    return merge


def _record(
    conn: WriteConnection, by: str, action: str, whom: list[CustomerId], detail: Mapping[str, str], at: datetime
) -> None:
    record_audit_of(conn, actor=by, action=action, customer_ids=list(whom), because="operator", detail=detail, at=at)


def _require_free(conn: ReadConnection, customer_id: CustomerId, named: Hashed) -> None:
    for owner in _owners(conn, named) - {customer_id}:
        raise Conflict(f"that leads to customer {owner}: merge the two if they are one")


def _owners(conn: ReadConnection, named: Hashed) -> set[CustomerId]:
    keys = [each[1] for each in (named.now, named.before) if each is not None]
    rows = conn.execute(_Q["select_owners"], {"namespace": named.now[0], "keys": keys})
    return {customer_id for _, customer_id in rows}
