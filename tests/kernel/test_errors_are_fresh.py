"""Whoever is refused gets an error of their own, and nothing of them stays."""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from attribution.ledger import move, post_entry
from attribution.ledger_nouns import AccountKind, EntryKind
from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale, select_orders
from attribution.people import register_staff
from customers.accounts import register_customer
from devices.registry import register_device
from millpond.kernel.db import WriteConnection, refusing
from millpond.kernel.errors import Conflict, MillpondError
from millpond.kernel.ids import Sku, StoreId
from millpond.kernel.money import Money
from tests.leftovers import count_traces
from tests.people import AT, Shop, make_shop, scan_badge

Refused = Callable[[WriteConnection, Shop], object]


def buy(conn: WriteConnection, shop: Shop, **more: Any) -> object:
    given: dict[str, Any] = {
        "channel": Channel.APP,
        "items": [OrderItem(Sku("GENERIC-HEPA"))],
        "currency": "EUR",
        "at": AT,
    } | more
    return record_sale(conn, customer_id=shop.customer.customer_id, **given)


def earn(conn: WriteConnection, shop: Shop) -> object:
    [order] = select_orders(conn, credited_to=shop.staff.staff_id)
    postings = move((AccountKind.EXPENSE, shop.staff.staff_id), (AccountKind.PENDING, shop.staff.staff_id), CENT)
    return post_entry(conn, EntryKind.EARNED, postings, at=AT, order_id=order.order_id, plan_id=1)


def employ_nowhere(conn: WriteConnection, shop: Shop) -> object:
    return register_staff(conn, store_id=StoreId("sto_x"), name="Jo", at=AT)


def register_twice(conn: WriteConnection, shop: Shop) -> object:
    return register_device(conn, serial="AIR-1", model="reed-air-2", installed_at=AT, at=AT)


def take_key(conn: WriteConnection, shop: Shop) -> object:
    return register_customer(conn, name="Kim", external_key="taken", at=AT)


CENT = Money(1, "EUR")
REFUSALS: dict[str, Refused] = {
    "a sale elsewhere that names a store": partial(buy, store_id=StoreId("sto_x")),
    "a sale in a store that names none": partial(buy, channel=Channel.STORE),
    "a second commission": earn,
    "an employment nowhere": employ_nowhere,
    "a serial twice": register_twice,
    "a key twice": take_key,
}


@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS)
def test_refusals_by_the_hundred_leave_nothing_behind(conn: WriteConnection, refused: Refused) -> None:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    buy(conn, shop)
    register_customer(conn, name="Kim", external_key="taken", at=AT)
    register_device(conn, serial="AIR-1", model="reed-air-2", installed_at=AT, at=AT)
    refuse(conn, shop, refused)
    before = count_traces()
    for _ in range(200):
        refuse(conn, shop, refused)
    assert count_traces() == before


def refuse(conn: WriteConnection, shop: Shop, refused: Refused) -> MillpondError:
    with pytest.raises(MillpondError) as caught:
        refused(conn, shop)
    return caught.value


def test_a_refusal_undoes_what_it_began_and_the_transaction_goes_on(conn: WriteConnection) -> None:
    conn.execute("create temporary table pond (n integer constraint small check (n < 3))")
    with pytest.raises(Conflict, match="too many"), refusing(conn, {"small": partial(Conflict, "too many")}):
        conn.cursor().executemany("insert into pond values (%s)", [[1], [9]])
    assert conn.execute("select count(*) from pond").fetchone() == (0,)


def test_a_violation_that_nobody_foresaw_stays_what_it_is(conn: WriteConnection) -> None:
    conn.execute("create temporary table pond (n integer constraint small check (n < 3))")
    with pytest.raises(psycopg.errors.CheckViolation) as caught, refusing(conn, {}):
        conn.execute("insert into pond values (9)")
    assert caught.value.__cause__ is None
