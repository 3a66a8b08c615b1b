"""Storing readings by column: each once, what disagrees is found, and what a look costs does not depend on the rest."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from psycopg import sql

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from millpond.kernel.arrays import bigints, booleans, doubles, integers, moments, null_texts
from millpond.kernel.db import WriteConnection, connect, load_queries
from millpond.kernel.ids import DeviceId, MetricId
from millpond.kernel.waiting import wait_until

FIRST = datetime(2025, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
LATER = timedelta(seconds=1)
ways = pytest.mark.parametrize("may_be_known", [False, True])


def reading(week: int, value: float | str = 1.0, metric: int = 1, device: int = 1) -> Reading:
    at = FIRST + timedelta(weeks=week)
    number, state = (None, value) if isinstance(value, str) else (value, None)
    return Reading(DeviceId(device), MetricId(metric), at, number, state, at + LATER, week % 2 == 0)


@pytest.fixture
def stored(conn: WriteConnection) -> list[Reading]:
    """A reading a week for a year."""
    readings = [reading(week) for week in range(52)]
    assert store_readings(conn, columns_of(readings)).new == 52
    return readings


def contents(conn: WriteConnection, table: str) -> set[tuple[object, ...]]:
    columns = "device_id, metric_id, measured_at, value, state, received_at"
    return set(conn.execute(sql.SQL("select {} from {}").format(sql.SQL(columns), sql.Identifier(table))))


def latest_values(conn: WriteConnection) -> set[tuple[object, ...]]:
    return set(conn.execute("select device_id, metric_id, measured_at, value, state from reading_latest"))


def row(r: Reading) -> tuple[object, ...]:
    return (r.device_id, r.metric_id, r.measured_at, r.value, r.state, r.received_at)


@ways
def test_numbers_and_states_are_stored_as_they_were_said(conn: WriteConnection, may_be_known: bool) -> None:
    said = [reading(3, "닫힘"), reading(1, -0.5, 2), reading(2, 1e300), reading(0, "x" * 64, 3), reading(5, 0.1, 2, 9)]
    assert store_readings(conn, columns_of(said), may_be_known=may_be_known).new == 5
    assert contents(conn, "reading") == {row(r) for r in said}
    assert set(conn.execute("select measured_at, corrected from reading")) == {
        (r.measured_at, r.corrected) for r in said
    }


@ways
def test_of_two_for_one_key_the_first_is_stored_and_the_other_found(conn: WriteConnection, may_be_known: bool) -> None:
    said = [reading(2, "old"), reading(1, 5), reading(1, 5), reading(1, 6), reading(2, "new")]
    stored = store_readings(conn, columns_of(said), may_be_known=may_be_known)
    assert (stored.new, stored.differing.tolist()) == (2, [3, 4])
    assert contents(conn, "reading") == {row(said[0]), row(said[1])}


@ways
def test_what_is_there_already_stays_whatever_comes_with_it(
    conn: WriteConnection, stored: list[Reading], may_be_known: bool
) -> None:
    said = [reading(60), stored[7], replace(stored[8], value=2.0), replace(stored[9], corrected=True), reading(61)]
    again = store_readings(conn, columns_of(said), may_be_known=may_be_known)
    assert (again.new, again.differing.tolist()) == (2, [2, 3])
    assert contents(conn, "reading") == {row(r) for r in [*stored, reading(60), reading(61)]}


@ways
def test_the_latest_value_is_the_newest_stored_one_of_each_series(
    conn: WriteConnection, stored: list[Reading], may_be_known: bool
) -> None:
    said = [reading(70), replace(stored[51], value=9.0), reading(69), reading(3, 4, 2), reading(2, "on", 2)]
    store_readings(conn, columns_of(said), may_be_known=may_be_known)
    assert latest_values(conn) == {row(reading(70))[:-1], row(reading(3, 4, 2))[:-1]}
    store_readings(conn, columns_of([reading(68, 5), reading(4, "off", 2)]), may_be_known=may_be_known)
    assert latest_values(conn) == {row(reading(70))[:-1], row(reading(4, "off", 2))[:-1]}


def test_a_value_that_disagrees_is_never_the_latest(conn: WriteConnection) -> None:
    store_readings(conn, columns_of([reading(1)]))
    conn.execute("delete from device_latest")
    store_readings(conn, columns_of([reading(1, 2), reading(0)]))
    assert latest_values(conn) == {row(reading(0))[:-1]}


def test_nothing_is_stored_of_nothing(conn: WriteConnection) -> None:
    assert store_readings(conn, columns_of([])).new == 0


def test_a_key_costs_one_lookup_wherever_the_others_lie(conn: WriteConnection, stored: list[Reading]) -> None:
    """A table that is divided by time must not be searched in all its parts for each key."""
    asked = columns_of(stored[::10])
    statement = load_queries("devices.bulk")["select_unlike"]
    values = {
        "device_ids": bigints(asked.device_ids),
        "metric_ids": integers(asked.metric_ids),
        "measured_ats": moments(asked.measured_us),
        "values": doubles(asked.values),
        "states": null_texts(len(asked)),
        "corrected": booleans(asked.corrected),
        "from_at": stored[0].measured_at,
        "to_at": stored[-1].measured_at,
    }
    row = conn.execute(f"explain (analyze, format json)\n{statement}", values).fetchone()
    assert row is not None
    lookups = [node["Actual Loops"] for node in _nodes(row[0][0]["Plan"]) if _reads_readings(node)]
    assert sum(lookups) == len(asked)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)


def _reads_readings(node: dict[str, Any]) -> bool:
    """A look into the table or into one part of it; the node that appends the parts looks into none itself."""
    appends = node.get("Custom Plan Provider") == "ChunkAppend"
    return not appends and bool(re.fullmatch(r"reading(_\w+)?|_hyper_\d+_\d+_chunk", node.get("Relation Name", "")))


@ways
def test_what_another_writer_commits_meanwhile_is_stored_once_and_compared(database: str, may_be_known: bool) -> None:
    """The second one waits for the first at the key that both have, and then looks again."""
    said = [reading(1), reading(2), reading(3)]
    with connect(database) as first, connect(database) as second, ThreadPoolExecutor(1) as thread:
        first.execute("begin")
        store_readings(first, columns_of([reading(2, 9)]))
        store = thread.submit(store_readings, second, columns_of(said), may_be_known=may_be_known)
        waiting = "select wait_event_type from pg_stat_activity where pid = %s"
        with connect(database) as watch:
            look = partial(watch.execute, waiting, [second.info.backend_pid])
            wait_until(lambda: look().fetchone() == ("Lock",), "the second one to wait", timeout_s=20)
        first.execute("commit")
        stored = store.result(timeout=20)
        assert (stored.new, stored.differing.tolist()) == (2, [1])
        assert set(second.execute("select value from reading")) == {(9,), (1,)}
