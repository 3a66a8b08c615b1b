"""Stores and staff."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TypeVar

from psycopg.rows import class_row

from attribution.nouns import Staff, Store
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, StaffId, StoreId, new_id
from millpond.kernel.money import require_currency
from millpond.kernel.zones import require_zone

Noun = TypeVar("Noun", Store, Staff)

_Q = load_queries("attribution")
_REFUSALS: Refusals = {
    "staff_store_id_fkey": partial(InvalidInput, "that store is not known"),
    "staff_customer_id_fkey": partial(InvalidInput, "that customer account is not known"),
    "staff_leaves_after_joining": partial(Conflict, "a person cannot leave before having joined"),
}


def register_store(conn: WriteConnection, *, name: str, currency: str, at: datetime, time_zone: str = "UTC") -> Store:
    """Open a shop. Raises InvalidInput for an unknown zone or a currency that is not in use."""
    require_zone(time_zone)
    require_currency(currency)
    values = {"store_id": new_id("sto"), "name": name, "currency": currency, "time_zone": time_zone, "at": at}
    return _write(conn, "insert_store", values, Store)


def register_staff(
    conn: WriteConnection, *, store_id: StoreId, name: str, at: datetime, customer_id: CustomerId | None = None
) -> Staff:
    """Employ a person from `at`. Raises InvalidInput when the store or the customer account is unknown."""
    values = {"staff_id": new_id("stf"), "store_id": store_id, "name": name, "customer_id": customer_id, "at": at}
    return _write(conn, "insert_staff", values, Staff)


def end_employment(conn: WriteConnection, staff_id: StaffId, *, at: datetime) -> Staff:
    """The person leaves: codes bind no more. NotFound when unknown, Conflict when already gone."""
    try:
        return _write(conn, "end_employment", {"staff_id": staff_id, "at": at}, Staff)
    except NotFound:
        if select_staff_member(conn, staff_id) is None:
            raise
        raise Conflict("this staff member has already left") from None


def void_badge(conn: WriteConnection, staff_id: StaffId) -> Staff:
    """Make every badge printed so far worthless (one was lost); the next is issued under the new version."""
    return _write(conn, "raise_badge_version", {"staff_id": staff_id}, Staff)


def select_store(conn: ReadConnection, store_id: str) -> Store | None:
    """The store with this id."""
    with conn.cursor(row_factory=class_row(Store)) as cursor:
        return cursor.execute(_Q["select_store"], {"store_id": store_id}).fetchone()


def select_stores(conn: ReadConnection, *, after: str = "", limit: int = 50) -> list[Store]:
    """Up to `limit` stores with an id above `after`, by id."""
    with conn.cursor(row_factory=class_row(Store)) as cursor:
        return cursor.execute(_Q["select_stores"], {"after": after, "limit": limit}).fetchall()


def select_staff_member(conn: ReadConnection, staff_id: str) -> Staff | None:
    """The staff member with this id."""
    with conn.cursor(row_factory=class_row(Staff)) as cursor:
        return cursor.execute(_Q["select_staff_member"], {"staff_id": staff_id}).fetchone()


def select_staff(
    conn: ReadConnection, *, after: str = "", limit: int = 50, store_id: StoreId | None = None
) -> list[Staff]:
    """Up to `limit` staff members with an id above `after`, by id, of one store or of all."""
    with conn.cursor(row_factory=class_row(Staff)) as cursor:
        values = {"after": after, "limit": limit, "store_id": store_id}
        return cursor.execute(_Q["select_staff"], values).fetchall()


def _write(conn: WriteConnection, query: str, values: Mapping[str, object], noun: type[Noun]) -> Noun:
    """Run one statement that returns the row it wrote."""
    with refusing(conn, _REFUSALS), conn.cursor(row_factory=class_row(noun)) as cursor:
        row = cursor.execute(_Q[query], values).fetchone()
    if row is None:
        raise NotFound(f"staff member {values['staff_id']} is not known")
    return row
