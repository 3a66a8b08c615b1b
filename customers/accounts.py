"""Opening, finding and locking a customer's account."""

import re
from datetime import datetime
from functools import partial

from psycopg.rows import class_row

from customers.nouns import Customer
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import new_id
from millpond.kernel.text import find_fault
from millpond.kernel.zones import require_zone

_Q = load_queries("customers")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_REFUSALS: Refusals = {
    "customer_external_key_unique": partial(Conflict, "that external key already belongs to a customer")
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
    require_zone(time_zone)
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
    with refusing(conn, _REFUSALS), conn.cursor(row_factory=class_row(Customer)) as cursor:
        made = cursor.execute(_Q["insert_customer"], values).fetchone()
    assert made is not None
    return made


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
