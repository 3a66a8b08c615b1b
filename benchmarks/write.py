"""How quickly readings are written; see `python -m benchmarks.write --help`."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.fleet import copy_readings, find_metric_ids, make_readings, register_fleet
from devices.nouns import Reading
from devices.readings import insert_readings, reading_key, upsert_latest
from millpond.kernel.db import WriteConnection, connect

_START = datetime(2026, 1, 1, tzinfo=UTC)
Batches = list[list[Reading]]


def main(
    rows: Annotated[int, typer.Option(min=1, help="Readings written.")] = 50_000,
    batch: Annotated[int, typer.Option(min=1, help="Readings in one transaction.")] = 5_000,
    devices: Annotated[int, typer.Option(min=1, help="Devices they are of.")] = 200,
    repeats: Annotated[int, typer.Option(min=1, help="Times that all is measured; the median counts.")] = 3,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Rows a second of the write path, against raw binary COPY.

    **Measured:** `devices.readings.insert_readings` (each reading once, duplicates left alone, the new keys returned)
    and `upsert_latest`, a transaction a batch, as ingest does; one connection, nothing decoded.

    **Reference:** one binary COPY of the same rows, with set types, into an empty table of the same columns, keys and
    checks: no duplicates possible, no latest values, one transaction. COPY in the same batches is told besides.
    """
    with fresh_database(dsn) as own, connect(own) as conn, step("writing"):
        registered = register_fleet(conn, devices, _START)
        readings = make_readings(registered, find_metric_ids(conn), rows, _START)
        batches = [sorted(readings[i : i + batch], key=reading_key) for i in range(0, rows, batch)]
        conn.execute("create table reading_copy (like reading including all)")
        seconds = [_measure(conn, batches) for _ in range(repeats)]
    ours, copied_in_batches, copied = (rows / median(column) for column in zip(*seconds, strict=True))
    tell(
        Result(
            "write",
            "rows_per_s",
            "rows/s",
            {"rows_per_s": ours, "copy_in_batches_rows_per_s": copied_in_batches},
            copied,
            "one binary COPY of all rows into the same shape",
            {"rows": rows, "batch": batch, "devices": devices, "repeats": repeats},
        ),
        as_json=json,
    )


def _measure(conn: WriteConnection, batches: Batches) -> tuple[float, float, float]:
    """Seconds of our way, of COPY batch by batch, and of one COPY, each into empty tables."""
    return (
        _timed_when_empty(conn, lambda: _store(conn, batches)),
        _timed_when_empty(conn, lambda: _copy(conn, batches)),
        _timed_when_empty(conn, lambda: _copy(conn, [[r for some in batches for r in some]])),
    )


def _timed_when_empty(conn: WriteConnection, act: Callable[[], None]) -> float:
    conn.execute("truncate reading, reading_latest, reading_copy")
    return timed(act)[1]


def _store(conn: WriteConnection, batches: Batches) -> None:
    for some in batches:
        with conn.transaction():
            insert_readings(conn, some)
            upsert_latest(conn, some)


def _copy(conn: WriteConnection, batches: Sequence[list[Reading]]) -> None:
    for some in batches:
        with conn.transaction():
            copy_readings(conn, some, "reading_copy")


if __name__ == "__main__":
    run(main)
