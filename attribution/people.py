"""Customers, stores and staff."""

from datetime import datetime

from attribution.nouns import Customer, Staff, Store
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId, StaffId, StoreId


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
    raise NotImplementedError


def find_or_register_customer(conn: WriteConnection, external_key: str, *, at: datetime) -> Customer:
    """The customer with this external key, created (and named by the key) when new; safe to race."""
    raise NotImplementedError


def register_store(conn: WriteConnection, *, name: str, currency: str, at: datetime, time_zone: str = "UTC") -> Store:
    """Open a shop. Raises InvalidInput for an unknown zone or a currency that is not an ISO 4217 code."""
    raise NotImplementedError


def register_staff(
    conn: WriteConnection, *, store_id: StoreId, name: str, at: datetime, customer_id: CustomerId | None = None
) -> Staff:
    """Employ a person from `at`. Raises InvalidInput when the store or the customer account is unknown."""
    raise NotImplementedError


def end_employment(conn: WriteConnection, staff_id: StaffId, *, at: datetime) -> Staff:
    """The person leaves: codes bind no more. NotFound when unknown, Conflict when already gone."""
    raise NotImplementedError


def void_badge(conn: WriteConnection, staff_id: StaffId) -> Staff:
    """Make every badge printed so far worthless (one was lost); the next is issued under the new version."""
    raise NotImplementedError


def select_customer(conn: ReadConnection, customer_id: str) -> Customer | None:
    """The customer with this id."""
    raise NotImplementedError


def select_customer_by_key(conn: ReadConnection, external_key: str) -> Customer | None:
    """The customer with this external key."""
    raise NotImplementedError


def select_customers(conn: ReadConnection, *, after: str = "", limit: int = 50) -> list[Customer]:
    """Up to `limit` customers with an id above `after`, by id."""
    raise NotImplementedError


def select_store(conn: ReadConnection, store_id: str) -> Store | None:
    """The store with this id."""
    raise NotImplementedError


def select_stores(conn: ReadConnection, *, after: str = "", limit: int = 50) -> list[Store]:
    """Up to `limit` stores with an id above `after`, by id."""
    raise NotImplementedError


def select_staff_member(conn: ReadConnection, staff_id: str) -> Staff | None:
    """The staff member with this id."""
    raise NotImplementedError


def select_staff(
    conn: ReadConnection, *, after: str = "", limit: int = 50, store_id: StoreId | None = None
) -> list[Staff]:
    """Up to `limit` staff members with an id above `after`, by id, of one store or of all."""
    raise NotImplementedError
