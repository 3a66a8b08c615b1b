"""Factories of people: a shop, who works there, who buys there, and their codes."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime

from attribution.binding_nouns import Binding
from attribution.nouns import Staff, Store
from attribution.people import register_staff, register_store
from attribution.tokens import derive_staff_keys
from customers.accounts import register_customer
from customers.identity.merging import merge_customers
from customers.nouns import Customer
from millpond.embedded import people as first_people
from millpond.kernel.db import WriteConnection

AT = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
KEYS = derive_staff_keys(b"a secret for tests, of more than 32 bytes")
_number = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Shop:
    """A store, two people who work there, and a customer nobody has scanned yet."""

    store: Store
    staff: Staff
    colleague: Staff
    customer: Customer


def make_customer(
    conn: WriteConnection, *, name: str = "Kim", locale: str = "en", time_zone: str = "Asia/Seoul"
) -> Customer:
    return register_customer(conn, name=name, locale=locale, time_zone=time_zone, at=AT)


def merge(conn: WriteConnection, merged: Customer, *, into: Customer) -> None:
    """The one was found to be the other."""
    merge_customers(
        conn, into.customer_id, merged.customer_id, because="operator", evidence={}, by="operator:test", at=AT
    )


def make_store(conn: WriteConnection, *, currency: str = "EUR", time_zone: str = "Asia/Seoul") -> Store:
    return register_store(conn, name=f"Shop {next(_number)}", currency=currency, time_zone=time_zone, at=AT)


def make_shop(conn: WriteConnection, *, time_zone: str = "Asia/Seoul") -> Shop:
    store = make_store(conn, time_zone=time_zone)
    staff = register_staff(conn, store_id=store.store_id, name="Mina", at=AT)
    colleague = register_staff(conn, store_id=store.store_id, name="Jo", at=AT)
    return Shop(store, staff, colleague, make_customer(conn))


def scan_badge(conn: WriteConnection, customer: Customer, staff: Staff, at: datetime = AT) -> Binding:
    """The customer scans the person's badge: the binding then in force."""
    return first_people.scan_badge(conn, KEYS, staff, customer.customer_id, at=at).binding
