"""Personas, windows and bounds: small built worlds in which it is plain who belongs and why."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from customers.accounts import register_customer
from customers.nouns import Customer, Purpose
from events.store import store_events
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import InvalidInput
from segments.defining import define_segment, prepare_condition
from segments.previewing import Bounds, preview_condition
from segments.refreshing import run_refresh
from segments.store import select_members, select_segments
from tests.events.test_events_store import make_event, make_source
from tests.people import AT, make_customer

DAY = timedelta(days=1)
BOUNDS = Bounds(cost=1e9, seconds=20)
SKU = "REED-HEPA-H13"


def buy(conn: WriteConnection, who: Customer, at: datetime, *, minor: int = 900_000, sku: str = SKU) -> str:
    order_id = f"ord_{who.customer_id[-6:]}{at.timestamp():.0f}"
    conn.execute(
        "insert into customer_order (order_id, customer_id, channel, amount_minor, currency, placed_at, created_at)"
        " select %s, %s, 'web', %s, currency, %s, %s from product_at(%s) where sku = %s",
        [order_id, who.customer_id, minor, at, at, at, sku],
    )
    conn.execute("insert into order_line values (%s, 1, %s, 1, %s)", [order_id, sku, minor])
    return order_id


def members(conn: WriteConnection, name: str) -> dict[str, Any]:
    return {str(each.customer_id): each.evidence for each in select_members(conn, name, at=AT)[0]}


def count(conn: WriteConnection, said: Any) -> int:
    ready = prepare_condition(select_segments(conn), said)
    return preview_condition(conn, ready.compiled, ready.needs, at=AT, bounds=BOUNDS, actor="operator:o").size


def test_who_buys_below_the_price_seeks_value_and_the_orders_are_shown(conn: WriteConnection) -> None:
    seeker, payer = make_customer(conn), make_customer(conn)
    cheap = [buy(conn, seeker, AT - day * DAY, minor=1) for day in (1, 2, 3)]
    for day in (1, 2, 3):
        buy(conn, payer, AT - day * DAY)
    run_refresh(conn, AT, asked_at=AT)
    found = members(conn, "value_seeker")
    assert found.keys() == {seeker.customer_id}
    assert sorted(found[seeker.customer_id]["discounted_ids"]) == sorted(cheap)


def test_who_buys_what_came_out_lately_follows_trends(conn: WriteConnection) -> None:
    follower, late = make_customer(conn), make_customer(conn)
    released = {"released_on": f"{AT - 70 * DAY:%Y-%m-%d}"}
    conn.execute("update product set attributes = %s where sku = %s", [json.dumps(released), SKU])
    new = [buy(conn, follower, AT - day * DAY) for day in (60, 50)]
    for day in (2, 1):
        buy(conn, late, AT - day * DAY)
    run_refresh(conn, AT, asked_at=AT)
    found = members(conn, "trend_follower")
    assert found.keys() == {follower.customer_id}
    assert sorted(found[follower.customer_id]["new_ids"]) == sorted(new)


def test_who_has_things_wrapped_buys_gifts_and_the_events_are_shown(conn: WriteConnection) -> None:
    giver = register_customer(conn, name="Kim", external_key="giver", at=AT)
    told = [
        replace(
            make_event(f"m-{n}", login="giver", at=AT - n * DAY),
            name="Order Completed",
            properties=json.dumps({"gift": n < 3}),
        )
        for n in (1, 2, 3)
    ]
    store_events(conn, make_source(conn), told, at=AT)
    run_refresh(conn, AT, asked_at=AT)
    found = members(conn, "gift_buyer")
    assert found.keys() == {giver.customer_id}
    assert len(found[giver.customer_id]["gift_ids"]) == 2


def test_a_window_counts_the_orders_of_its_days_and_none_that_was_given_back(conn: WriteConnection) -> None:
    often, once, before, back = (make_customer(conn) for _ in range(4))
    for who, days in ((often, (5, 80)), (once, (5,)), (before, (100, 120)), (back, (5, 6))):
        orders = [buy(conn, who, AT - day * DAY) for day in days]
    conn.execute("update customer_order set refunded_minor = amount_minor where order_id = %s", [orders[0]])
    run_refresh(conn, AT, asked_at=AT)
    twice = {"bought": {"category": "filter", "within_days": 90, "at_least": 2}}
    define_segment(conn, "twice", title={"en": "Twice"}, said=twice, at=AT, bounds=BOUNDS)
    run_refresh(conn, AT + timedelta(hours=1), asked_at=AT)
    assert members(conn, "twice").keys() == {often.customer_id}
    assert count(conn, {"bought": {"sku": SKU, "within_days": 90}}) == 3
    assert count(conn, {"not": {"bought": {"sku": SKU, "within_days": 90}}}) == 1


def test_who_agrees_to_nothing_is_in_no_profiling_segment_not_even_by_what_is_not_so(conn: WriteConnection) -> None:
    make_customer(conn)
    silent = make_customer(conn)
    conn.execute(
        "insert into consent (customer_id, purpose, version, given, at, source, evidence)"
        " select %s, purpose, version, false, %s, 'app', '{}' from purpose where purpose in"
        " ('personalisation', 'device_profiling')",
        [silent.customer_id, AT],
    )
    run_refresh(conn, AT, asked_at=AT)
    assert count(conn, {"not": {"field": "orders", "op": ">=", "value": 1}}) == 1
    assert count(conn, {"not": {"field": "parts_due", "op": ">=", "value": 1}}) == 1
    assert count(conn, {"field": "locale", "op": "!=", "value": "xx"}) == 2
    assert count(conn, {"consent": Purpose.PERSONALISATION.value}) == 1


def test_a_condition_that_costs_too_much_is_refused(conn: WriteConnection) -> None:
    ready = prepare_condition([], {"field": "orders", "op": ">=", "value": 1})
    with pytest.raises(InvalidInput, match=r"^/: this condition would look at too much"):
        preview_condition(conn, ready.compiled, ready.needs, at=AT, bounds=replace(BOUNDS, cost=1), actor="operator:o")


def test_a_condition_that_takes_too_long_is_given_up(conn: WriteConnection, shared_database: str) -> None:
    ready = prepare_condition(select_segments(conn), {"segment": "gift_buyer"})
    with connect(shared_database) as other, other.transaction():
        other.execute("lock table segment_member in access exclusive mode")
        with pytest.raises(InvalidInput, match=r"^/: this condition takes longer than 0.1 seconds"):
            preview_condition(
                conn, ready.compiled, ready.needs, at=AT, bounds=replace(BOUNDS, seconds=0.1), actor="operator:o"
            )
    assert count(conn, {"segment": "gift_buyer"}) == 0
