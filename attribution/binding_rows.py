"""One function, one statement: bindings, scans, nonces and the policy."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from psycopg.rows import class_row, kwargs_row

from attribution.binding_nouns import Binding, BindingPolicy, ScanOutcome, StaffCode, TakeOver
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import BindingId, CustomerId, StaffId, new_id

_Q = load_queries("attribution")
_REFUSALS: Refusals = {
    "binding_never_overlaps": partial(Conflict, "this customer is already bound to somebody in that time"),
    "binding_not_empty": partial(Conflict, "a binding cannot end before it begins"),
}


def binding_at(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> Binding | None:
    """The binding in force at that moment."""
    return bindings_at(conn, [customer_id], at).get(customer_id)


def bindings_at(conn: ReadConnection, customer_ids: Collection[CustomerId], at: datetime) -> dict[CustomerId, Binding]:
    """The bindings in force at that moment, of those of the customers who are bound."""
    with conn.cursor(row_factory=class_row(Binding)) as cursor:
        rows = cursor.execute(_Q["bindings_at"], {"customer_ids": list(customer_ids), "at": at})
        return {binding.customer_id: binding for binding in rows}


def select_binding(conn: ReadConnection, binding_id: str) -> Binding | None:
    """The binding with this id."""
    return _select(conn, "select_binding", {"binding_id": binding_id})


def select_pending_transfer(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> Binding | None:
    """A hand-over of the customer that has not begun."""
    return _select(conn, "select_pending_transfer", {"customer_id": customer_id, "at": at})


def count_transfers(conn: ReadConnection, customer_id: CustomerId, *, since: datetime) -> int:
    """How many hand-overs were started after `since` and not refused."""
    [(count,)] = conn.execute(_Q["count_transfers"], {"customer_id": customer_id, "since": since})
    return int(count)


def select_binding_policy(conn: ReadConnection, at: datetime) -> BindingPolicy:
    """The policy in force at that moment; the schema has one from the beginning of time."""
    with conn.cursor(row_factory=kwargs_row(_policy)) as cursor:
        [policy] = cursor.execute(_Q["select_binding_policy"], {"at": at})
    return policy


def _policy(*, take_over: str, **same: Any) -> BindingPolicy:
    return BindingPolicy(take_over=TakeOver(take_over), **same)


def insert_binding(
    conn: WriteConnection,
    *,
    customer_id: CustomerId,
    staff_id: StaffId,
    bound_from: datetime,
    bound_until: datetime | None,
    source: str,
    follows: Binding | None,
    at: datetime,
    reason: str | None = None,
) -> Binding:
    """Credit the customer to a person from a moment. Raises Conflict when another binding overlaps."""
    values = {
        "binding_id": BindingId(new_id("bnd")),
        "customer_id": customer_id,
        "staff_id": staff_id,
        "bound_from": bound_from,
        "bound_until": bound_until,
        "source": source,
        "follows": follows.binding_id if follows else None,
        "reason": reason,
        "at": at,
    }
    return _write(conn, "insert_binding", values)


def end_binding(conn: WriteConnection, binding: Binding, until: datetime | None) -> Binding:
    """Let a binding end at `until`, or not at all. Raises Conflict when that would overlap or be empty."""
    return _write(conn, "end_binding", {"binding_id": binding.binding_id, "bound_until": until})


def mark_refused(conn: WriteConnection, binding: Binding, at: datetime) -> bool:
    """Mark a hand-over as refused; False when it has begun or was refused before."""
    values = {"binding_id": binding.binding_id, "customer_id": binding.customer_id, "at": at}
    return conn.execute(_Q["refuse_binding"], values).fetchone() is not None


def spend_nonce(conn: WriteConnection, nonce: str, customer_id: CustomerId, at: datetime) -> str:
    """Spend a code's nonce; returns who spent it first, after waiting for a transaction that races for it."""
    [(spent_by,)] = conn.execute(_Q["spend_nonce"], {"nonce": nonce, "customer_id": customer_id, "at": at})
    return str(spent_by)


def insert_scan(
    conn: WriteConnection, customer_id: CustomerId, code: StaffCode, *, outcome: ScanOutcome, at: datetime
) -> None:
    """Record a scan as an event of its own."""
    values = {"customer_id": customer_id, "staff_id": code.staff_id, "source": code.kind, "outcome": outcome, "at": at}
    conn.execute(_Q["insert_scan"], values)


def _select(conn: ReadConnection, query: str, values: dict[str, Any]) -> Binding | None:
    with conn.cursor(row_factory=class_row(Binding)) as cursor:
        return cursor.execute(_Q[query], values).fetchone()


def _write(conn: WriteConnection, query: str, values: dict[str, Any]) -> Binding:
    with refusing(conn, _REFUSALS), conn.cursor(row_factory=class_row(Binding)) as cursor:
        row = cursor.execute(_Q[query], values).fetchone()
    assert row is not None
    return row
