"""Whoever waits for a customer's lock writes after whoever held it, whatever their clocks said before."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from attribution.binding_nouns import Scan, ScanOutcome
from attribution.bindings import bind_customer, binding_at, refuse_transfer, transfer_binding
from attribution.nouns import Channel, Order, OrderItem, Staff
from attribution.orders import record_sale
from attribution.tokens import issue_badge_token
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict
from millpond.kernel.ids import BindingId, CustomerId, Sku
from tests.people import AT, KEYS, Shop, make_customer, make_shop, scan_badge
from tests.races import race

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
ROUNDS = 60


def scanning(customer_id: CustomerId, staff: Staff, at: datetime) -> Callable[[WriteConnection], Scan]:
    token = issue_badge_token(KEYS, staff)
    return lambda own: bind_customer(own, token=token, customer_id=customer_id, keys=KEYS, at=at)


def buying(customer_id: CustomerId, at: datetime) -> Callable[[WriteConnection], Order]:
    items = [OrderItem(Sku("GENERIC-HEPA"))]
    return lambda own: record_sale(
        own, customer_id=customer_id, channel=Channel.APP, items=items, currency="EUR", at=at
    )


@pytest.mark.parametrize("take_over", ["never", "always"])
@pytest.mark.parametrize("same", [True, False], ids=["one code", "two codes"])
def test_of_two_scans_at_once_one_binds_and_the_other_is_told_so(database: str, take_over: str, same: bool) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        conn.execute("insert into binding_policy (take_over, valid_from) values (%s, %s)", [take_over, AT - DAY])
        for _ in range(ROUNDS):
            customer_id = make_customer(conn).customer_id
            other = shop.staff if same else shop.colleague
            tries = [scanning(customer_id, shop.staff, AT), scanning(customer_id, other, AT + TICK)]
            scans = [answer for answer in race(database, tries) if isinstance(answer, Scan)]
            assert len(scans) == 2
            if same or take_over == "never":
                assert sorted(scan.outcome for scan in scans) == [ScanOutcome.ALREADY_BOUND, ScanOutcome.BOUND]
                assert scans[0].binding.binding_id == scans[1].binding.binding_id


def test_a_second_look_that_began_earlier_finds_the_binding_of_the_first(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    made = scan_badge(conn, shop.customer, shop.staff, AT + TICK)
    assert scan_badge(conn, shop.customer, shop.colleague, AT) == made
    bindings = conn.execute("select binding_id from binding where customer_id = %s", [shop.customer.customer_id])
    assert bindings.fetchall() == [(made.binding_id,)]


def test_an_order_that_waited_for_a_scan_is_credited_to_it(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    made = scan_badge(conn, shop.customer, shop.staff, AT + TICK)
    order = buying(shop.customer.customer_id, AT)(conn)
    assert (order.credited_to, order.binding_id, order.placed_at) == (shop.staff.staff_id, made.binding_id, AT + TICK)


def test_orders_and_scans_at_once_are_credited_as_the_bindings_say(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        for _ in range(ROUNDS):
            customer_id = make_customer(conn).customer_id
            tries = [scanning(customer_id, shop.staff, AT + TICK), buying(customer_id, AT)]
            [order] = [answer for answer in race(database, tries) if isinstance(answer, Order)]
            then = binding_at(conn, customer_id, order.placed_at)
            assert order.binding_id == (then.binding_id if then else None)


def test_a_hand_over_that_waited_for_a_scan_hands_over_what_it_made(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    made = scan_badge(conn, shop.customer, shop.staff, AT + TICK)
    coming = transfer_binding(conn, made.binding_id, to_staff_id=shop.colleague.staff_id, at=AT)
    assert (coming.follows, coming.bound_from) == (made.binding_id, AT + TICK + DAY)


def hand_over(conn: WriteConnection, shop: Shop) -> BindingId:
    made = scan_badge(conn, shop.customer, shop.staff)
    return transfer_binding(conn, made.binding_id, to_staff_id=shop.colleague.staff_id, at=AT).binding_id


def test_a_refusal_that_waited_until_a_sale_was_credited_to_the_new_person_comes_too_late(
    conn: WriteConnection,
) -> None:
    shop = make_shop(conn)
    coming = hand_over(conn, shop)
    assert buying(shop.customer.customer_id, AT + DAY)(conn).binding_id == coming
    with pytest.raises(Conflict, match="it has begun"):
        refuse_transfer(conn, coming, customer_id=shop.customer.customer_id, at=AT + DAY - TICK)


def test_two_refusals_at_once_keep_one_binding(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        coming = hand_over(conn, shop)
        customer_id = shop.customer.customer_id
        refusing = [
            lambda own, at=AT + n * TICK: refuse_transfer(own, coming, customer_id=customer_id, at=at) for n in range(2)
        ]
        kept, late = sorted(race(database, refusing), key=lambda answer: isinstance(answer, Conflict))
        assert isinstance(late, Conflict)
        assert kept == binding_at(conn, customer_id, AT + 9 * DAY)
