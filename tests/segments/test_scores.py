"""Customers scored from what was known at a moment, if they agree: on a real database of shoppers with a seed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from psycopg import sql

from customers.consent import record_consent
from customers.identifiers import add_identifier
from customers.nouns import Namespace, Purpose
from events.store import store_events
from millpond.embedded.databases import temporary_database
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import CustomerId
from segments.models.job import ScoringRules, fit_model, run_scores, score_customers
from segments.models.population import select_sample
from segments.models.propensity import read_known, read_window
from segments.models.store import ModelKind, select_model
from segments.models.traces import select_category_purchases
from tests.events.test_events_store import make_event, make_source
from tests.household import make_device
from tests.segments.shoppers import CATEGORIES, END, SKUS, customer_of, put_shoppers

RULES = ScoringRules(discount_bp=1000, horizon=timedelta(days=30), refit=timedelta(days=7))
DAY = timedelta(days=1)
EARLIER = END - 30 * DAY


@pytest.fixture(scope="module")
def shoppers(server_dsn: str, template: str) -> Iterator[str]:
    """A database of 1,200 shoppers and what they did in 400 days; each test rolls back."""
    with temporary_database(server_dsn, prefix="millpond_shoppers", template=template) as dsn:
        with connect(dsn) as conn:
            put_shoppers(conn, customers=1200)
            conn.execute("analyze")
            for kind in ModelKind:
                fit_model(conn, kind, END, RULES, made_at=END)
        yield dsn


@pytest.fixture
def shop(shoppers: str) -> Iterator[WriteConnection]:
    with connect(shoppers) as conn, conn.transaction(force_rollback=True):
        yield conn


def score(conn: WriteConnection) -> dict[str, int]:
    return score_customers(conn, END, RULES, made_at=END)


def withdraw(conn: WriteConnection, customer_id: str, purpose: Purpose) -> None:
    record_consent(
        conn, CustomerId(customer_id), purpose, version=1, given=False, at=END - DAY, source="app", evidence={}
    )


def count(conn: WriteConnection, table: str, customer_id: str) -> int:
    query = sql.SQL("select count(*) from {} where customer_id = %s").format(sql.Identifier(table))
    row = conn.execute(query, [customer_id]).fetchone()
    assert row is not None
    return int(row[0])


TABLES = ["customer_value", "purchase_cycle", "category_propensity"]


def test_every_customer_who_bought_has_a_value_and_cycles(shop: WriteConnection) -> None:
    counts = score(shop)
    assert (counts["customers"], counts["values"]) == (1200, 1200)
    rows = shop.execute(
        "select count(*), count(*) filter (where clv_minor > 0 and currency = 'EUR' and at = %s),"
        " min(p_alive) > 0 and max(p_alive) <= 1 from customer_value",
        [END],
    ).fetchall()
    assert rows == [(1200, 1200, True)]
    overdue = shop.execute(
        "select count(*) filter (where next_expected_at = last_bought_at + median_days * interval '1 day') = count(*),"
        " count(distinct category) from purchase_cycle"
    ).fetchall()
    assert overdue == [(True, len(CATEGORIES))]


def test_the_worth_model_foresees_the_days_that_were_held_out(shop: WriteConnection) -> None:
    model = select_model(shop, ModelKind.WORTH, END)
    assert model is not None
    scores = model.scores
    assert abs(scores["expected"] / scores["happened"] - 1) < 0.15
    assert scores["error"] < scores["reference"]["error"]


def test_propensities_are_better_than_recency_and_frequency_and_mean_what_they_say(shop: WriteConnection) -> None:
    model = select_model(shop, ModelKind.PROPENSITY, END)
    assert model is not None
    scores, reference = model.scores, model.scores["reference"]
    assert sorted(model.parameters["categories"]) == sorted(CATEGORIES)
    assert scores["pairs"] == 1200 * len(CATEGORIES)
    assert scores["brier"] < reference["brier"]
    assert scores["auc"] > reference["auc"] + 0.02
    assert all(abs(decile["expected"] - decile["happened"]) < 0.08 for decile in scores["deciles"])
    assert scores["deciles"][-1]["happened"] > 5 * scores["happened"] / scores["pairs"] / 3


def test_a_second_fit_gives_the_same_numbers(shop: WriteConnection) -> None:
    for kind in ModelKind:
        first = select_model(shop, kind, END)
        fit_model(shop, kind, END, RULES, made_at=END)
        again = select_model(shop, kind, END)
        assert first is not None
        assert again is not None
        assert (again.model_id, again.parameters, again.scores, again.body) == (
            first.model_id,
            first.parameters,
            first.scores,
            first.body,
        )


def test_nothing_of_after_the_moment_is_known_at_it(shop: WriteConnection) -> None:
    """An order, a refund, an event, a device and a sign-in of later change neither the past nor its scores."""
    before = _as_known(shop)
    order, customer = _one_order(shop)
    _sell_later(shop, customer)
    shop.execute(
        "insert into refund (refund_id, order_id, amount_minor, currency, refunded_at) select 'ref_1', order_id,"
        " amount_minor, currency, %s from customer_order where order_id = %s",
        [END + DAY, order],
    )
    source = make_source(shop)
    browsed = make_event("before", anonymous_id="phone", at=END - 2 * DAY)
    store_events(shop, source, [browsed], at=END - 2 * DAY)
    store_events(shop, source, [make_event("late", login="key-" + customer, at=END - DAY)], at=END + DAY)
    add_identifier(shop, CustomerId(customer), Namespace.ANONYMOUS, "phone", at=END + DAY)
    make_device(shop, "LATE", "generic-purifier-pct", CustomerId(customer), END + DAY)
    assert _as_known(shop) == before
    known = _known_events(shop, customer, END)
    assert _known_events(shop, customer, END + 2 * DAY) == known + 2, "and afterwards it is"


def test_a_window_of_training_knows_what_was_known_at_its_beginning(shop: WriteConnection) -> None:
    people = select_sample(shop, END, asked_at=END, size=300)
    features = _window_features(shop, people)
    shop.execute("delete from event where happened_at > %s", [EARLIER])
    shop.execute(
        "insert into refund (refund_id, order_id, amount_minor, currency, refunded_at)"
        " select 'ref_' || order_id, order_id, amount_minor, currency, %s from customer_order where placed_at <= %s",
        [EARLIER + DAY, EARLIER],
    )
    np.testing.assert_array_equal(_window_features(shop, people), features)


def test_who_does_not_agree_is_not_scored_and_loses_what_they_had(shop: WriteConnection) -> None:
    score(shop)
    customer = _one_order(shop)[1]
    assert all(count(shop, table, customer) for table in TABLES)
    withdraw(shop, customer, Purpose.PERSONALISATION)
    assert score(shop)["customers"] == 1199
    assert [count(shop, table, customer) for table in TABLES] == [0, 0, 0]
    assert customer not in select_sample(shop, END, asked_at=END, size=2000).ids


def test_devices_count_only_for_those_who_agree_to_that(shop: WriteConnection) -> None:
    for number in (0, 1):
        make_device(shop, f"D{number}", "generic-purifier-pct", CustomerId(customer_of(number)), END - 50 * DAY)
    withdraw(shop, customer_of(1), Purpose.DEVICE_PROFILING)
    people = select_sample(shop, END, asked_at=END, size=2000)
    known = read_known(shop, people, CATEGORIES, select_category_purchases(shop, people.ids, CATEGORIES, END), END)
    assert {people.ids[place] for place in known.devices["place"].tolist()} == {customer_of(0)}
    assert known.devices[known.devices["category"] == CATEGORIES.index("filter")]["devices"].tolist() == [1]
    assert not known.may_use_devices[people.ids.index(CustomerId(customer_of(1)))]


def test_a_merged_customer_is_scored_as_the_one_that_stays(shop: WriteConnection) -> None:
    score(shop)
    bought = _purchases(shop, customer_of(1)) + _purchases(shop, customer_of(2))
    shop.execute("update customer set merged_into = %s where customer_id = %s", [customer_of(1), customer_of(2)])
    score(shop)
    assert count(shop, "customer_value", customer_of(2)) == 0
    assert max(_purchases(shop, customer_of(1)), 1) in (bought, bought - 1), "two purchases of one day are one"


def test_the_daily_run_fits_what_is_old_and_leaves_alone_what_is_new(shop: WriteConnection) -> None:
    assert "worth" not in run_scores(shop, END + 6 * DAY, RULES, made_at=END)
    summary = run_scores(shop, END + 7 * DAY, RULES, made_at=END)
    assert summary["worth"].startswith("worth: fitted on ")
    assert summary["propensity"].startswith("propensity: fitted on ")
    assert shop.execute("select count(*) from segment_model").fetchall() == [(4,)]


def test_with_too_little_nothing_is_fitted_and_nothing_fails(conn: WriteConnection) -> None:
    summary = run_scores(conn, END, RULES, made_at=END)
    assert summary == {
        "worth": "worth: not fitted, too few customers bought again",
        "propensity": "propensity: not fitted, too few customers bought",
        "customers": 0,
    }


def _as_known(conn: WriteConnection) -> list[Any]:
    score(conn)
    query = sql.SQL("select to_jsonb(t) - 'made_at' from {} t order by t.customer_id, to_jsonb(t)::text")
    return [conn.execute(query.format(sql.Identifier(table))).fetchall() for table in TABLES]


def _one_order(conn: WriteConnection) -> tuple[str, str]:
    row = conn.execute(
        "select order_id, customer_id from customer_order where placed_at < %s order by placed_at desc limit 1", [END]
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _sell_later(conn: WriteConnection, customer: str) -> None:
    """One order of afterwards, and one of before that was written down afterwards."""
    for number, placed in enumerate((END + DAY, END - DAY)):
        conn.execute(
            "insert into customer_order (order_id, customer_id, channel, amount_minor, currency, placed_at, created_at)"
            " values (%s, %s, 'app', 5000, 'EUR', %s, %s)",
            [f"ord_later_{number}", customer, placed, END + DAY],
        )
        conn.execute("insert into order_line values (%s, 1, %s, 1, 5000)", [f"ord_later_{number}", SKUS[2]])


def _known_events(conn: WriteConnection, customer: str, at: Any) -> int:
    row = conn.execute("select count(*) from events_known(%s, '-infinity', %s)", [[customer], at]).fetchone()
    assert row is not None
    return int(row[0])


def _window_features(conn: WriteConnection, people: Any) -> Any:
    rows = select_category_purchases(conn, people.ids, CATEGORIES, END)
    return read_window(conn, people, CATEGORIES, rows, EARLIER, RULES.horizon).features


def _purchases(conn: WriteConnection, customer: str) -> int:
    row = conn.execute("select purchases from customer_value where customer_id = %s", [customer]).fetchone()
    assert row is not None
    return int(row[0])
