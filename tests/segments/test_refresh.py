"""Facts and members, renewed whole and then of who changed: on a real database of shoppers with a seed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from customers.consent import record_consent
from customers.identity.merging import merge_customers, undo_merge
from customers.nouns import Purpose
from customers.tags import object_to_tag
from millpond.embedded.databases import temporary_database
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import CustomerId
from segments.facts.refresh import select_changed
from segments.interests import select_interest_tags
from segments.refreshing import run_refresh
from segments.store import select_members, select_segments_of
from tests.segments.shoppers import END, customer_of, put_shoppers

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def refreshed(server_dsn: str, template: str) -> Iterator[str]:
    """A database of 400 shoppers whose segments were refreshed once; each test rolls back."""
    with temporary_database(server_dsn, prefix="millpond_segments", template=template) as dsn:
        with connect(dsn) as conn:
            put_shoppers(conn, customers=400)
            conn.execute("analyze")
            run_refresh(conn, END, asked_at=END)
        yield dsn


@pytest.fixture
def shop(refreshed: str) -> Iterator[WriteConnection]:
    with connect(refreshed) as conn, conn.transaction(force_rollback=True):
        yield conn


def one(conn: WriteConnection, query: str, *values: Any) -> Any:
    row = conn.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def say(conn: WriteConnection, customer_id: str, purpose: Purpose, *, given: bool, at: datetime) -> None:
    record_consent(conn, CustomerId(customer_id), purpose, version=1, given=given, at=at, source="app", evidence={})


def belongs(conn: WriteConnection, customer_id: str, at: datetime) -> set[str]:
    return {each.segment_id for each in select_segments_of(conn, CustomerId(customer_id), at)}


def buy(conn: WriteConnection, customer_id: str, at: datetime, *, minor: int = 5000) -> None:
    conn.execute(
        "insert into customer_order (order_id, customer_id, channel, amount_minor, currency, placed_at, created_at)"
        " values (%s, %s, 'web', %s, 'EUR', %s, %s)",
        [f"ord_x{at.timestamp():.0f}", customer_id, minor, at, at],
    )


SOME_ONE = customer_of(1)


def test_facts_say_what_the_rows_say(shop: WriteConnection) -> None:
    wrong = shop.execute(
        "select f.customer_id from customer_facts f join ("
        " select customer_id, count(*) n, sum(amount_minor) total, max(placed_at) last from customer_order"
        " group by 1) o"
        " using (customer_id) where (f.orders, (f.spent ->> 'EUR')::bigint, f.last_order_at) <> (o.n, o.total, o.last)"
    ).fetchall()
    assert (one(shop, "select count(*) from customer_facts"), wrong) == (400, [])


def test_every_fifth_is_about_a_fifth_and_equal_values_are_in_the_same_one(shop: WriteConnection) -> None:
    rows = shop.execute(
        "select recency_score, count(*), min(last_order_at), max(last_order_at) from customer_profile"
        " group by 1 order by 1"
    ).fetchall()
    assert [(score, count) for score, count, _, _ in rows] == [(score, 80) for score in range(1, 6)]
    assert all(before[3] < after[2] for before, after in pairwise(rows))
    torn = one(
        shop,
        "select count(*) from (select orders from customer_profile group by 1"
        " having count(distinct frequency_score) > 1) t",
    )
    assert torn == 0


def test_few_buyers_are_not_divided(database: str) -> None:
    with connect(database) as conn:
        put_shoppers(conn, customers=24)
        run_refresh(conn, END, asked_at=END)
        assert one(conn, "select count(*), count(recency_score) from customer_profile") == (24, 0)
        assert one(conn, "select count(*) from segment_member where segment_id like 'rfm%%'") == 0


def test_of_those_who_changed_the_result_is_that_of_a_whole_refresh(shop: WriteConnection) -> None:
    at = END + HOUR
    buy(shop, SOME_ONE, END + HOUR / 2)
    say(shop, customer_of(2), Purpose.PERSONALISATION, given=False, at=END + HOUR / 2)
    object_to_tag(shop, CustomerId(customer_of(3)), "filter", at=END + HOUR / 2, source="app")
    assert set(select_changed(shop, since=END, at=at)) >= {SOME_ONE, customer_of(2), customer_of(3)}
    run_refresh(shop, END, asked_at=END, complete=True)
    partly = run_refresh(shop, at, asked_at=at)
    assert not partly.complete
    assert 3 <= partly.customers < 40
    part = _members(shop)
    whole = run_refresh(shop, at, asked_at=at, complete=True)
    assert (whole.complete, whole.customers) == (True, 400)
    moved = {
        customer for customer, segment in part ^ _members(shop) if not segment.startswith(("rfm", "interest", "cycle"))
    }
    assert moved == set()


def _members(conn: WriteConnection) -> set[tuple[str, str]]:
    return set(conn.execute("select customer_id, segment_id from segment_member where until_at is null").fetchall())


def test_nothing_is_done_again_when_nothing_changed(shop: WriteConnection) -> None:
    again = run_refresh(shop, END + HOUR, asked_at=END + HOUR)
    assert (again.complete, again.began, again.ended) == (False, 0, 0)


def test_a_life_cycle_turns_by_itself(shop: WriteConnection) -> None:
    customer, turns = one(
        shop, "select customer_id, turns_at from customer_facts where life_cycle = 'active' order by turns_at limit 1"
    )
    shop.execute("insert into segment_refresh values (%s, true, 400, 40)", [turns - HOUR])
    run_refresh(shop, turns + timedelta(seconds=1), asked_at=turns)
    assert one(shop, "select life_cycle from customer_facts where customer_id = %s", customer) == "at_risk"


def test_a_withdrawal_counts_at_once_for_readers_and_takes_facts_away_by_the_next_refresh(
    shop: WriteConnection,
) -> None:
    assert belongs(shop, SOME_ONE, END)
    assert select_interest_tags(shop, CustomerId(SOME_ONE), END)
    say(shop, SOME_ONE, Purpose.PERSONALISATION, given=False, at=END + HOUR)
    later = END + 2 * HOUR
    assert belongs(shop, SOME_ONE, later) == set()
    assert select_interest_tags(shop, CustomerId(SOME_ONE), later) == []
    members, _ = select_members(shop, "life_active", at=later, limit=400)
    assert SOME_ONE not in {member.customer_id for member in members}
    run_refresh(shop, later, asked_at=later)
    assert one(shop, "select behaviour, orders, life_cycle from customer_facts where customer_id = %s", SOME_ONE) == (
        False,
        None,
        None,
    )
    still = "select count(*) from segment_member where customer_id = %s and until_at is null"
    assert one(shop, still, SOME_ONE) == 0
    say(shop, SOME_ONE, Purpose.DEVICE_PROFILING, given=False, at=later)
    run_refresh(shop, later + HOUR, asked_at=later + HOUR)
    assert one(shop, "select count(*) from customer_facts where customer_id = %s", SOME_ONE) == 0


def test_members_have_a_history(shop: WriteConnection) -> None:
    before = one(shop, "select customer_id from segment_member where segment_id = 'life_lapsed' limit 1")
    buy(shop, before, END + HOUR / 2)
    run_refresh(shop, END + HOUR, asked_at=END + HOUR)
    spans = shop.execute(
        "select segment_id, from_at, until_at from segment_member where customer_id = %s and segment_id in"
        " ('life_lapsed', 'life_active', 'life_won_back') order by 2, 1",
        [before],
    ).fetchall()
    assert ("life_lapsed", END, END + HOUR) in spans
    assert ("life_active", END + HOUR, None) in spans


def test_two_who_are_one_are_one_member_and_two_again_when_it_is_undone(shop: WriteConnection) -> None:
    one_of, other = CustomerId(customer_of(5)), CustomerId(customer_of(6))
    before = _members(shop)
    orders = "select orders from customer_facts where customer_id = %s"
    counts = one(shop, orders, one_of), one(shop, orders, other)
    merged = merge_customers(
        shop, one_of, other, because="operator", evidence={"ticket": "T"}, by="operator:o", at=END + HOUR
    )
    run_refresh(shop, END + 2 * HOUR, asked_at=END + 2 * HOUR)
    assert one(shop, orders, one_of) == sum(counts)
    assert {customer for customer, _ in _members(shop)}.isdisjoint({other})
    assert belongs(shop, other, END + 2 * HOUR) == belongs(shop, one_of, END + 2 * HOUR) != set()
    undo_merge(shop, merged.merge_id, at=END + 3 * HOUR, by="operator:o")
    run_refresh(shop, END + 4 * HOUR, asked_at=END + 4 * HOUR)
    assert (one(shop, orders, one_of), one(shop, orders, other)) == counts
    lives = {pair for pair in before if pair[0] in (one_of, other) and pair[1].startswith("life")}
    assert lives <= _members(shop)


def test_a_tag_that_was_struck_out_never_comes_back_by_itself(shop: WriteConnection) -> None:
    tags = select_interest_tags(shop, CustomerId(SOME_ONE), END)
    assert tags == sorted(tags, key=lambda tag: -tag.interest)
    struck = tags[0].category
    object_to_tag(shop, CustomerId(SOME_ONE), struck, at=END + HOUR, source="app")
    assert struck not in {tag.category for tag in select_interest_tags(shop, CustomerId(SOME_ONE), END + HOUR)}
    for hours in (2, 30):
        run_refresh(shop, END + hours * HOUR, asked_at=END + hours * HOUR)
        interests = one(shop, "select interests from customer_facts where customer_id = %s", SOME_ONE)
        assert struck not in interests
        assert f"interest_{struck}" not in belongs(shop, SOME_ONE, END + hours * HOUR)
