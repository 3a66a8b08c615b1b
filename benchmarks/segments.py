"""`python -m benchmarks.segments`: facts and segments of all customers renewed, and then of those who changed.

The reference is one plain aggregate over the same orders and events in the same run: what it costs to read them at all.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, Seed, fresh_database, run, step, tell, timed
from benchmarks.segment_rows import fill
from millpond.kernel.db import WriteConnection, connect
from segments.refreshing import Refreshed, run_refresh

AT = datetime(2026, 3, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_READ = """
    select count(*) from (
        select o.customer_id, count(*), sum(o.amount_minor), max(o.placed_at)
        from customer_order o join order_line l using (order_id) join product p using (sku) group by 1) orders
    full join (
        select subject_id, count(*), max(happened_at), count(properties) from event group by 1) events on false"""


def benchmark(
    dsn: Dsn = None,
    broker: NoBroker = None,
    customers: Annotated[int, typer.Option(min=1000, help="How many customers; three orders and six events each.")] = (
        100_000
    ),
    changed: Annotated[int, typer.Option(min=1, help="How many of them buy before the second refresh.")] = 1000,
    seed: Seed = 7,
    json: Json = False,
) -> None:
    """How many customers a second a whole refresh takes in, against one plain aggregate over the same rows."""
    with fresh_database(dsn) as database, connect(database) as conn:
        with step(f"putting {customers:,} customers in"):
            counts = fill(conn, customers, AT, seed)
        with step("reading all rows once"):
            conn.execute(_READ)
            _, read_s = timed(lambda: conn.execute(_READ))
        with step("the first refresh"):
            first, first_s = timed(lambda: run_refresh(conn, AT, asked_at=AT))
        conn.execute("analyze")
        with step("a whole refresh again"):
            again, again_s = timed(lambda: run_refresh(conn, AT + _HOUR, asked_at=AT, complete=True))
        _buy_more(conn, changed)
        with step("of those who changed"):
            part, part_s = timed(lambda: run_refresh(conn, AT + 2 * _HOUR, asked_at=AT))
        sizes: dict[str, Any] = counts | {"changed": changed, "looked_at_again": part.customers}
        _check(conn, customers, first, part, changed)
    tell(_result(customers, sizes, read_s, first_s, again_s, part_s, again), as_json=json)


def _buy_more(conn: WriteConnection, changed: int) -> None:
    conn.execute(
        "insert into customer_order (order_id, customer_id, channel, amount_minor, currency, placed_at, created_at)"
        " select 'ord_more' || n, 'cus_' || lpad(n::text, 20, '0'), 'web', 4200, 'EUR', %(at)s, %(at)s"
        " from generate_series(1, %(changed)s) n",
        {"at": AT + 1.5 * _HOUR, "changed": changed},
    )


def _check(conn: WriteConnection, customers: int, first: Refreshed, part: Refreshed, changed: int) -> None:
    row = conn.execute("select count(*) from customer_facts").fetchone()
    assert row == (customers,), row
    assert first.customers == customers
    assert not part.complete
    assert part.customers >= changed


def _result(
    customers: int,
    sizes: dict[str, Any],
    read_s: float,
    first_s: float,
    again_s: float,
    part_s: float,
    again: Refreshed,
) -> Result:
    return Result(
        benchmark="segments",
        figure="customers_per_s",
        unit="customers/s",
        figures={
            "customers_per_s": customers / again_s,
            "first_refresh_s": first_s,
            "whole_refresh_s": again_s,
            "changed_refresh_s": part_s,
            "plain_aggregate_s": read_s,
        },
        reference=customers / read_s,
        reference_name="one plain aggregate over the same orders, lines and events",
        sizes=sizes,
        notes=[f"{again.began:,} memberships began and {again.ended:,} ended in the whole refresh; one connection."],
    )


if __name__ == "__main__":
    run(benchmark)
