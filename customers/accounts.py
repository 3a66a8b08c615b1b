"""Opening, finding and locking a customer's account."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from customers.erased import select_erased
from customers.identifiers import add_identifier
from customers.nouns import Customer, Namespace
from customers.regions import require_country
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId, new_id
from millpond.kernel.text import find_fault
from millpond.kernel.zones import require_zone

_Q = load_queries("customers")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


def register_customer(
    conn: WriteConnection,
    *,
    name: str,
    at: datetime,
    external_key: str | None = None,
    locale: str = "en",
    time_zone: str = "UTC",
    country: str | None = None,
) -> Customer:
    """Open an account. `country` is where they live, as ISO 3166 writes it; without one their zone and language say it.

    Raises Conflict when the external key is taken, InvalidInput for an unknown locale, zone or country.
    """
    require_zone(time_zone)
    require_country(country)
    if not _LOCALE.fullmatch(locale):
        raise InvalidInput(f"{locale!r} is not a language tag like en, ko or zh-CN")
    made = Customer(CustomerId(new_id("cus")), external_key, name, locale, time_zone, created_at=at)
    with conn.transaction():
        values = {"customer_id": made.customer_id, "name": name, "locale": locale, "time_zone": time_zone, "at": at}
        conn.execute(_Q["insert_customer"], values | {"country": country})
        if external_key is not None:
            add_identifier(conn, made.customer_id, Namespace.EXTERNAL, external_key, at=at)
    return made


def set_country(conn: WriteConnection, customer_id: CustomerId, country: str | None) -> None:
    """Note where a customer lives; None: nobody says. Raises InvalidInput for an unknown country."""
    require_country(country)
    conn.execute(_Q["update_country"], {"customer_id": customer_id, "country": country})


def find_or_register_customer(conn: WriteConnection, external_key: str, *, at: datetime) -> Customer:
    """The customer with this external key, created (and named by the key) when new; safe to race.

    Raises InvalidInput for a key that cannot be shown as a name, and for one of somebody who was erased: a file that
    comes again brings nobody back.
    """
    fault = find_fault(external_key)
    if fault is not None:
        raise InvalidInput(f"customer {external_key[:80]!r}: {fault}")
    found = select_customer_by_key(conn, external_key)
    if found is not None:
        return found
    if select_erased(conn, [(Namespace.EXTERNAL, external_key)]):
        raise InvalidInput(f"customer {external_key[:80]!r} was erased: if they are back, register them anew")
    try:
        return register_customer(conn, name=external_key, external_key=external_key, at=at)
    except Conflict:  # Somebody else has registered the key since we looked.
        found = select_customer_by_key(conn, external_key)
        if found is None:
            raise
        return found


def select_customer(conn: ReadConnection, customer_id: CustomerId) -> Customer | None:
    """The customer with this id; the one that stays when they were merged into another."""
    with conn.cursor(row_factory=kwargs_row(_customer)) as cursor:
        return cursor.execute(_Q["select_customer"], {"customer_id": customer_id}).fetchone()


def select_customer_by_key(conn: ReadConnection, external_key: str) -> Customer | None:
    """The customer whom the brand's own systems know by this key now."""
    with conn.cursor(row_factory=kwargs_row(_customer)) as cursor:
        values = {"namespace": Namespace.EXTERNAL, "key": external_key}
        return cursor.execute(_Q["select_identified"], values).fetchone()


def select_customers(conn: ReadConnection, *, after: str = "", limit: int = 50) -> list[Customer]:
    """Up to `limit` customers with an id above `after`, by id."""
    with conn.cursor(row_factory=kwargs_row(_customer)) as cursor:
        return cursor.execute(_Q["select_customers"], {"after": after, "limit": limit}).fetchall()


def search_customers(conn: ReadConnection, text: str, *, limit: int = 50) -> list[Customer]:
    """Up to `limit` customers who have the id, key, card or messenger name `text`, or whose name begins so."""
    begins = re.sub(r"([\\%_])", r"\\\1", text.lower()) + "%"
    with conn.cursor(row_factory=kwargs_row(_customer)) as cursor:
        return cursor.execute(_Q["search_customers"], {"text": text, "begins": begins, "limit": limit}).fetchall()


def lock_customers(conn: WriteConnection, customer_ids: Collection[CustomerId]) -> dict[CustomerId, Customer]:
    """Lock each as `lock_customer` does, by id, and tell who they are, by the ids that were asked for.

    Who was merged, or was again two, while the lock was waited for is locked as who they are now.
    Raises NotFound when one is not known, or was erased.
    """
    values = {"customer_ids": list(customer_ids)}
    locked: set[CustomerId] = set()
    while True:
        locked |= {customer_id for (customer_id,) in conn.execute(_Q["lock_customers"], values)}
        with conn.cursor(row_factory=kwargs_row(_known)) as cursor:
            known = dict(cursor.execute(_Q["select_customers_of"], values))
        if missing := set(customer_ids) - known.keys():
            raise NotFound(f"customer {min(missing)} is not known")
        if locked >= {customer.customer_id for customer in known.values()}:
            return known


def lock_customer(conn: WriteConnection, customer_id: CustomerId) -> None:
    """Until the transaction ends, nobody else binds, offers to or sells to this customer. Raises NotFound."""
    lock_customers(conn, [customer_id])


def _customer(*, known_as: str, **columns: Any) -> Customer:  # noqa: ARG001  # a column that the noun leaves out
    """A row of the view `current_customer`, less the id by which it was found."""
    return Customer(**columns)


def _known(*, known_as: CustomerId, **columns: Any) -> tuple[CustomerId, Customer]:
    """As `_customer`, with the id by which it was found."""
    return known_as, Customer(**columns)
