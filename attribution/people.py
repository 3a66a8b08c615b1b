"""Stores and staff."""

from datetime import datetime
from functools import partial

from psycopg.rows import class_row

from attribution.nouns import Staff, Store
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, StaffId, StoreId, new_id
from millpond.kernel.money import require_currency
from millpond.kernel.zones import require_zone

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
    made = Store(StoreId(new_id("sto")), name, currency, time_zone, created_at=at)
    values = {"store_id": made.store_id, "name": name, "currency": currency, "time_zone": time_zone, "at": at}
    conn.execute(_Q["insert_store"], values)
    return made


def register_staff(
    conn: WriteConnection, *, store_id: StoreId, name: str, at: datetime, customer_id: CustomerId | None = None
) -> Staff:
    """Employ a person from `at`. Raises InvalidInput when the store or the customer account is unknown."""
    staff_id = StaffId(new_id("stf"))
    values = {"staff_id": staff_id, "store_id": store_id, "name": name, "customer_id": customer_id, "at": at}
    with refusing(conn, _REFUSALS):
        conn.execute(_Q["insert_staff"], values)
    return _known_staff_member(conn, staff_id)


def end_employment(conn: WriteConnection, staff_id: StaffId, *, at: datetime) -> Staff:
    """The person leaves: codes bind no more. NotFound when unknown, Conflict when already gone."""
    with refusing(conn, _REFUSALS):
        ended = conn.execute(_Q["end_employment"], {"staff_id": staff_id, "at": at}).fetchone()
    member = _known_staff_member(conn, staff_id)
    if ended is None:
        raise Conflict("this staff member has already left")
    return member


def void_badge(conn: WriteConnection, staff_id: StaffId) -> Staff:
    """Make every badge printed so far worthless (one was lost); the next is issued under the new version.

    Raises NotFound when the person is unknown.
    """
    conn.execute(_Q["raise_badge_version"], {"staff_id": staff_id})
    return _known_staff_member(conn, staff_id)


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


def _known_staff_member(conn: ReadConnection, staff_id: StaffId) -> Staff:
    found = select_staff_member(conn, staff_id)
    if found is None:
        raise NotFound(f"staff member {staff_id} is not known")
    return found
