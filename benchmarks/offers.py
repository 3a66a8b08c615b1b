"""How quickly offers are decided and shown; see `python -m benchmarks.offers --help`."""

from datetime import datetime
from typing import Annotated

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell
from benchmarks.decisions import decide, fill
from benchmarks.feed import ask, fill_customers, select_asking
from benchmarks.http_load import Load, find_wrk
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection, connect


def main(
    customers: Annotated[int, typer.Option(min=1, help="Customers in the database when the feed is asked.")] = 100_000,
    asking: Annotated[int, typer.Option(min=1, help="How many of them ask, one after the other.")] = 200,
    decided: Annotated[int, typer.Option(min=1, help="Customers for whom the job decides before.")] = 2_000,
    parts_each: Annotated[int, typer.Option(min=1, help="Parts of each of those; all but every fifth are due.")] = 3,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds in which each address is asked once; medians count.")] = 3,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds for which it is asked.")] = 3,
    connections: Annotated[int, typer.Option(min=1, help="Connections that ask at the same time.")] = 4,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Decisions a second of the offers job, and the customers' feed and /healthz over HTTP against bare endpoints.

    **Measured:** `decisions_per_s` is the job: gates, ranking, decisions, offers and credit, in sets.
    `requests_per_s`, `p50_ms` and `p99_ms` are `GET /v1/customers/{id}/offers` with a customer's token, of
    `millpond serve` in a process of its own; each customer is shown up to `--parts-each` offers. `healthz_…` is
    `GET /healthz` of the same server. The load comes from `wrk` with one thread, which shares the machine with the
    servers and the database.

    **Reference:** a FastAPI application that has nothing but a `def` endpoint, under uvicorn with the same parts
    (uvloop, httptools): so the ratio is what our own code and the database leave of it. `healthz_reference` is its
    `async def` endpoint. The `…_h11` figures are the same two under uvicorn's parts in Python (asyncio, h11).
    """
    find_wrk()
    at = SystemClock().now()
    with fresh_database(dsn) as own:
        with connect(own) as conn:
            decisions_per_s, issued = _decide(conn, decided, parts_each, at)
            with step("opening accounts"):
                fill_customers(conn, customers, at)
                people = select_asking(conn, asking)
        with step("asking"):
            loads = ask(own, people, rounds=rounds, seconds=seconds, connections=connections, at=at)
    sizes = {"customers": customers, "asking": asking, "decided": decided, "parts_each": parts_each, "offers": issued}
    sizes |= {"rounds": rounds, "seconds": seconds, "connections": connections}
    figures = {"decisions_per_s": decisions_per_s} | _name_figures(loads)
    reference = loads["def"].requests_per_s
    name = "a bare FastAPI `def` endpoint under the same uvicorn"
    tell(Result("offers", "requests_per_s", "requests/s", figures, reference, name, sizes), as_json=json)


def _decide(conn: WriteConnection, customers: int, parts_each: int, at: datetime) -> tuple[float, int]:
    with step("registering customers and forecasts"):
        fill(conn, customers, parts_each, at)
    with step("deciding"):
        return decide(conn, at)


def _name_figures(loads: dict[str, Load]) -> dict[str, float]:
    feed, health = loads["feed"], loads["healthz"]
    return {
        "requests_per_s": feed.requests_per_s,
        "p50_ms": feed.p50_ms,
        "p99_ms": feed.p99_ms,
        "healthz_requests_per_s": health.requests_per_s,
        "healthz_p50_ms": health.p50_ms,
        "healthz_p99_ms": health.p99_ms,
        "healthz_reference": loads["async"].requests_per_s,
        "healthz_ratio": health.requests_per_s / loads["async"].requests_per_s,
        "reference_h11": loads["def_h11"].requests_per_s,
        "healthz_reference_h11": loads["async_h11"].requests_per_s,
    }


if __name__ == "__main__":
    run(main)
