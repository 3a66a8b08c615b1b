"""Customers, stores and staff."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import TypeVar

from psycopg.rows import class_row

from attribution.nouns import Customer, Staff, Store
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, StaffId, StoreId, new_id
from millpond.kernel.money import require_currency
from millpond.kernel.text import find_fault

Noun = TypeVar("Noun", Customer, Store, Staff)

_Q = load_queries("attribution")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_REFUSALS: Refusals = {
    "customer_external_key_unique": partial(Conflict, "that external key already belongs to a customer"),
    "staff_store_id_fkey": partial(InvalidInput, "that store is not known"),
    "staff_customer_id_fkey": partial(InvalidInput, "that customer account is not known"),
    "staff_leaves_after_joining": partial(Conflict, "a person cannot leave before having joined"),
}


def register_customer(
    conn: WriteConnection,
    *,
    name: str,
    at: datetime,
    external_key: str | None = None,
    locale: str = "en",
    time_zone: str = "UTC",
) -> Customer:
    """Open an account. Raises Conflict when the external key is taken, InvalidInput for an unknown locale or zone."""
    _require_zone(time_zone)
    if not _LOCALE.fullmatch(locale):
        raise InvalidInput(f"{locale!r} is not a language tag like en, ko or zh-CN")
    values = {
        "customer_id": new_id("cus"),
        "external_key": external_key,
        "name": name,
        "locale": locale,
        "time_zone": time_zone,
        "at": at,
    }
    return _write(conn, "insert_customer", values, Customer)


def find_or_register_customer(conn: WriteConnection, external_key: str, *, at: datetime) -> Customer:
    """The customer with this external key, created (and named by the key) when new; safe to race.

    Raises InvalidInput for a key that cannot be shown as a name.
    """
    fault = find_fault(external_key)
    if fault is not None:
        raise InvalidInput(f"customer {external_key[:80]!r}: {fault}")
    values = {"customer_id": new_id("cus"), "external_key": external_key, "at": at}
    with conn.cursor(row_factory=class_row(Customer)) as cursor:
        created = cursor.execute(_Q["insert_customer_when_new"], values).fetchone()
    found = created or select_customer_by_key(conn, external_key)
    if found is None:
        raise Conflict(f"customer {external_key} was removed at the same moment: try again")
    return found


def register_store(conn: WriteConnection, *, name: str, currency: str, at: datetime, time_zone: str = "UTC") -> Store:
    """Open a shop. Raises InvalidInput for an unknown zone or a currency that is not in use."""
    _require_zone(time_zone)
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


def select_customer(conn: ReadConnection, customer_id: str) -> Customer | None:
    """The customer with this id, or with this external key: the brand's app knows no other."""
    with conn.cursor(row_factory=class_row(Customer)) as cursor:
        return cursor.execute(_Q["select_customer"], {"customer_id": customer_id}).fetchone()


def select_customer_by_key(conn: ReadConnection, external_key: str) -> Customer | None:
    """The customer with this external key."""
    with conn.cursor(row_factory=class_row(Customer)) as cursor:
        return cursor.execute(_Q["select_customer_by_key"], {"external_key": external_key}).fetchone()


def select_customers(conn: ReadConnection, *, after: str = "", limit: int = 50) -> list[Customer]:
    """Up to `limit` customers with an id above `after`, by id."""
    with conn.cursor(row_factory=class_row(Customer)) as cursor:
        return cursor.execute(_Q["select_customers"], {"after": after, "limit": limit}).fetchall()


def lock_customer(conn: WriteConnection, customer_id: str) -> None:
    """Until the transaction ends, nobody else binds, offers to or sells to this customer. Raises NotFound."""
    if conn.execute(_Q["lock_customer"], {"customer_id": customer_id}).fetchone() is None:
        raise NotFound(f"customer {customer_id} is not known")


def lock_customer_at(conn: WriteConnection, customer_id: str, at: datetime) -> datetime:
    """Lock as `lock_customer` does, and return the moment of what is then written: `at`, or that of the last write.

    The clock is read before the lock is waited for, and two servers' clocks differ: without this, whoever waited would
    look at the customer as they were before whoever went first. Raises NotFound.
    """
    lock_customer(conn, customer_id)
    row = conn.execute(_Q["select_last_write"], {"customer_id": customer_id}).fetchone()
    return max(at, row[0]) if row and row[0] else at


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


@cache
def _known_zones() -> frozenset[str]:
    """The names in the database of time zones, less its stand-in for none.

    What the machine offers is more: `localtime`, for one, means another zone on another machine.
    """
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split()) - {"Factory"}


def _require_zone(time_zone: str) -> None:
    if time_zone not in _known_zones():
        raise InvalidInput(f"{time_zone[:60]!r} is not a time zone like Europe/Berlin")
