"""An `Order Completed` of a source that may makes an order, once; whatever else tells of it; and refunds follow it."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from attribution.nouns import Channel, Order
from attribution.order_rows import select_orders, select_refunds, select_told_order
from customers.accounts import select_customer_by_key
from events.nouns import Scope, Source, SourceKind, Taken
from events.plan.files import load_plan
from events.quarantine.nouns import Filter
from events.quarantine.store import select_set_aside
from events.sources import register_source
from events.terms import Terms
from events.wire import decode_batch
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.money import Money
from offers.taking.replay import replay_set_aside
from offers.taking.take import take_events
from tests.events.calls import batch, track
from tests.people import AT, make_shop, scan_badge
from tests.races import race

TERMS = Terms(load_plan())
DAY = timedelta(days=1)
SOUNDBAR = {"sku": "REED-SOUNDBAR-3", "price": 179, "quantity": 1}
ORDER: dict[str, Any] = {"order_id": "W-1", "currency": "EUR", "products": [SOUNDBAR]}


def make_source(conn: WriteConnection, kind: SourceKind = SourceKind.SERVER, *scopes: Scope) -> Source:
    return register_source(conn, name=f"{kind} {scopes}", kind=kind, scopes=scopes or [Scope.ORDERS], at=AT)


def take(conn: WriteConnection, source: Source, *calls: dict[str, Any]) -> Taken:
    return take_events(conn, source, decode_batch(batch(*calls), received_at=AT), TERMS, at=AT)


def bought(message_id: str = "m", login: str | None = "ann", **said: Any) -> dict[str, Any]:
    return track(message_id, "Order Completed", ORDER | said, login=login, at=AT - DAY)


def only_order(conn: WriteConnection) -> Order:
    [order] = select_orders(conn)
    return order


def test_it_makes_an_order_of_the_logins_customer_with_its_lines_discount_and_coupon(conn: WriteConnection) -> None:
    lines = [SOUNDBAR | {"quantity": 2}, SOUNDBAR | {"price": 0}]
    sums: dict[str, Any] = {
        "discount": 17.9,
        "subtotal": 358,
        "shipping": 4.9,
        "tax": 57.18,
        "total": 345.0,
        "revenue": 340.1,
    }
    taken = take(conn, make_source(conn), bought(products=lines, coupon="MAY", **sums))
    assert taken.refused == ()
    order = only_order(conn)
    ann = select_customer_by_key(conn, "ann")
    assert ann is not None
    assert (order.customer_id, order.channel, order.placed_at) == (ann.customer_id, Channel.WEB, AT - DAY)
    assert order.amount == Money(34_010, "EUR")
    assert [(line.quantity, line.unit_price.amount_minor) for line in order.lines] == [(2, 17_900), (1, 0)]
    row = conn.execute("select external_id, discount_minor, coupon from customer_order").fetchone()
    assert row == ("W-1", 1_790, "MAY")


def test_a_source_without_the_scope_tells_of_behaviour_only(conn: WriteConnection) -> None:
    for kind in (SourceKind.WEB, SourceKind.SERVER):
        taken = take(conn, make_source(conn, kind, Scope.EVENTS), bought(total=1))
        assert (len(taken.stored.new), taken.refused) == (1, ())
    assert select_orders(conn) == []


def test_without_a_login_it_stays_an_event_and_nobody_is_credited(conn: WriteConnection) -> None:
    taken = take(conn, make_source(conn), bought(login=None))
    assert (len(taken.stored.new), select_orders(conn)) == (1, [])


def test_one_order_id_is_one_order_however_often_it_is_told(conn: WriteConnection) -> None:
    server, till = make_source(conn), make_source(conn, SourceKind.POS)
    take(conn, server, bought("m-1"), bought("m-1"))
    taken = take(conn, server, bought("m-2"))
    assert (len(taken.stored.new), taken.refused) == (1, ())
    first = only_order(conn)
    [refused] = take(conn, server, bought("m-3", products=[SOUNDBAR | {"quantity": 2}])).refused
    assert refused.detail == "order W-1 is there already, with another amount"
    shop = make_shop(conn)
    assert take(conn, till, bought("m-4", store_id=shop.store.store_id)).refused == ()
    assert only_order_of(conn, shop.store.store_id).order_id != first.order_id


def only_order_of(conn: WriteConnection, store_id: str) -> Order:
    order = select_told_order(conn, store_id, "W-1")
    assert order is not None
    return order


def test_whoever_was_bound_to_the_customer_when_it_was_sold_is_credited(conn: WriteConnection) -> None:
    shop, till = make_shop(conn), make_source(conn, SourceKind.POS)
    take(conn, till, bought(store_id=shop.store.store_id))
    ann = select_customer_by_key(conn, "ann")
    assert ann is not None
    scan_badge(conn, ann, shop.staff, at=AT)
    take(conn, till, bought("late", order_id="W-2", store_id=shop.store.store_id))
    now = track("now", "Order Completed", ORDER | {"order_id": "W-3", "store_id": shop.store.store_id}, login="ann")
    take(conn, till, now)
    credited = {order.placed_at: order.credited_to for order in select_orders(conn)}
    assert credited == {AT - DAY: None, AT: shop.staff.staff_id}
    assert {order.channel for order in select_orders(conn)} == {Channel.STORE}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"total": 178}, "the total 178.00 EUR is not what the order comes to: products 179.00 EUR, discount 0.00 EUR"),
        ({"revenue": 179, "subtotal": 17.9}, "the subtotal 17.90 EUR is not what"),
        ({"total": 179.001}, "179.001 EUR is no whole number of minor units: EUR has 2 decimals"),
        ({"products": []}, "an order lists in 'products' what was bought"),
        ({"products": [{"sku": "REED-SOUNDBAR-3"}]}, "products[0] has no price"),
        ({"products": [SOUNDBAR | {"sku": "LAMP"}]}, "product LAMP is not known"),
        ({"discount": 179}, "an order comes to more than nothing"),
        ({"currency": None}, "an order says in 'currency' what it was paid in"),
        ({"channel": "owl"}, "the 'channel' of an order is one of app, store, web"),
        ({"channel": "store"}, "an order in a store says in 'store_id' which, an order elsewhere does not"),
        ({"store_id": "sto_none"}, "store sto_none is not known"),
    ],
)
def test_what_cannot_be_an_order_is_set_aside_and_no_event(
    conn: WriteConnection, said: dict[str, Any], sentence: str
) -> None:
    plain = {name: value for name, value in (ORDER | said).items() if value is not None}
    good = track("good", "Cart Viewed", login="ann")
    taken = take(conn, make_source(conn), track("m", "Order Completed", plain, login="ann"), good)
    [refused] = taken.refused
    assert (refused.reason, refused.detail[: len(sentence)]) == ("no_order", sentence)
    assert [event.message_id for event in taken.stored.new] == ["good"]
    assert (select_orders(conn), [each.known_as for each in select_set_aside(conn)]) == ([], ["m"])


def returned(message_id: str, name: str = "Order Refunded", **said: Any) -> dict[str, Any]:
    return track(message_id, name, {"order_id": "W-1"} | said, login="ann")


def test_refunds_give_back_in_part_and_then_what_is_left(conn: WriteConnection) -> None:
    server = make_source(conn)
    take(conn, server, bought(products=[SOUNDBAR | {"quantity": 3}]))
    take(conn, server, returned("r-1", total=79), returned("r-1", total=79))
    take(conn, server, returned("r-2", products=[SOUNDBAR]))
    order = only_order(conn)
    assert {each.amount.amount_minor for each in select_refunds(conn, order.order_id)} == {7_900, 17_900}
    take(conn, server, returned("c-1", "Order Cancelled", total=537), returned("c-2", "Order Cancelled"))
    order = only_order(conn)
    assert (order.refunded, len(select_refunds(conn, order.order_id))) == (order.amount, 3)
    [refused] = take(conn, server, returned("r-3", total=1)).refused
    assert refused.detail == "the refund is larger than what is left of the order"


def test_a_refund_that_came_before_its_order_waits_and_is_given_when_it_is_replayed(conn: WriteConnection) -> None:
    server = make_source(conn)
    [refused] = take(conn, server, returned("r-1", total=79)).refused
    assert refused.detail == "order W-1 is not known here: replay this once it has come"
    take(conn, server, bought())
    assert replay_set_aside(conn, Filter(reason="no_order"), TERMS, at=AT + DAY).taken == 1
    assert replay_set_aside(conn, Filter(), TERMS, at=AT + DAY).taken == 0
    assert only_order(conn).refunded == Money(7_900, "EUR")


def test_the_same_order_of_another_customer_is_set_aside(conn: WriteConnection) -> None:
    source = make_source(conn)
    take(conn, source, bought("m-1", login="ann"))
    taken = take(conn, source, bought("m-2", login="ben"))
    assert [(each.reason, each.detail) for each in taken.refused] == [
        ("no_order", "order W-1 is there already, of another customer")
    ]
    ann = select_customer_by_key(conn, "ann")
    assert ann is not None
    assert only_order(conn).customer_id == ann.customer_id


def test_two_batches_that_name_each_others_customers_never_wait_in_a_circle(database: str) -> None:
    with connect(database) as conn:
        source = make_source(conn, SourceKind.SERVER, Scope.ORDERS, Scope.IDENTIFY)

    def write(conn: WriteConnection, mine: str, others: str, number: int) -> int:
        order = ORDER | {"order_id": f"W-{mine}-{number}"}
        viewed = track(
            f"v-{mine}-{number}", "Product Viewed", {"sku": "REED-SOUNDBAR-3"}, login=f"{mine}-{number}", at=AT
        )
        sold = track(f"o-{mine}-{number}", "Order Completed", order, login=f"{others}-{number}", at=AT)
        with conn.transaction():
            return len(take(conn, source, viewed, sold).stored.new)

    for number in range(12):
        tries = [
            partial(write, mine="a", others="b", number=number),
            partial(write, mine="b", others="a", number=number),
        ]
        assert race(database, tries) == [2, 2]
