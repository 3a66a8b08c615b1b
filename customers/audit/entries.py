"""Writing the audit log, and reading it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId

_Q = load_queries("customers.audit")
_WORD = "a word of small letters, digits and underscores"
_REFUSALS: Refusals = {
    "audit_actor": partial(InvalidInput, "an actor is a role and a subject, like operator:kim"),
    "audit_action": partial(InvalidInput, f"an action of the audit log is {_WORD}, like merged"),
    "audit_because": partial(InvalidInput, f"a reason of the audit log is {_WORD}, like operator or their_wish"),
}
_NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line: `actor` did `action` to or with what we know of `customer_id`, `because` of something, at `at`."""

    number: int
    at: datetime
    actor: str
    action: str
    customer_id: str | None
    because: str
    detail: dict[str, Any]
    digest: bytes


def record_audit(
    conn: WriteConnection,
    *,
    actor: str,
    action: str,
    customer_id: CustomerId | None,
    because: str,
    detail: Mapping[str, Any],
    at: datetime,
) -> None:
    """Say in the audit log that `actor` (`Caller.actor`) saw or changed something of a customer.

    `action` and `because` are words (`merged`, `their_wish`), `detail` has ids and words: nothing by which anybody
    could be known. It is the last thing of the caller's transaction: until that ends nobody else writes the log.
    Raises InvalidInput for what is no word.
    """
    record_audit_of(conn, actor=actor, action=action, customer_ids=[customer_id], because=because, detail=detail, at=at)


def record_audit_of(
    conn: WriteConnection,
    *,
    actor: str,
    action: str,
    customer_ids: Collection[CustomerId | None],
    because: str,
    detail: Mapping[str, Any],
    at: datetime,
) -> None:
    """The same for a whole set of customers, in one statement and in their order: an entry each."""
    values = {
        "at": at,
        "actor": actor,
        "action": action,
        "customer_ids": list(customer_ids),
        "because": because,
        "detail": Jsonb(dict(detail)),
    }
    with refusing(conn, _REFUSALS):
        conn.execute(_Q["record_audit"], values)


def select_entries(
    conn: ReadConnection,
    *,
    before: int | None = None,
    customer_ids: Collection[str] | None = None,
    actor: str | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """Entries with numbers below `before`, newest first; only about these customers, or by this actor."""
    values = {
        "before": _NEWEST if before is None else before,
        "customer_ids": None if customer_ids is None else list(customer_ids),
        "actor": actor,
        "limit": limit,
    }
    with conn.cursor(row_factory=class_row(AuditEntry)) as cursor:
        return cursor.execute(_Q["select_entries"], values).fetchall()
