"""Households with a new TV: each is due for offers, which must come once and whole."""

from datetime import timedelta

import psycopg

from customers.accounts import register_customer
from devices.registry import register_device
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection
from proof.oracle import Account

_OFFERS = """
select (select count(*) from customer),
       (select count(*) from customer c where not exists (select 1 from offer o where o.customer_id = c.customer_id)),
       (select count(*) from offer),
       (select count(*) from (select device_id, sku from offer group by 1, 2 having count(*) > 1) as twice),
       (select count(*) from offer o
        where 1 <> (select count(*) from offer_event e where e.offer_id = o.offer_id and e.state = 'open'))
"""


def add_household(conn: WriteConnection, number: int) -> str:
    """Register a customer with a TV that is new; returns the customer's id."""
    at = SystemClock().now() - timedelta(minutes=1)
    customer = register_customer(conn, name=f"Household {number}", at=at)
    register_device(
        conn, serial=f"TV-{number:04d}", model="reed-tv-55", customer_id=customer.customer_id, installed_at=at, at=at
    )
    return customer.customer_id


def count_offers(dsn: str) -> Account:
    """Households sent, offers stored; a household without an offer is lost, one of half a life is corrupt."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(_OFFERS).fetchone()
    assert row is not None
    households, without, offers, twice, half = row
    return Account(sent=households, stored=offers, lost=without, duplicated=twice, corrupt=half)
