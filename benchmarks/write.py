"""How quickly readings are written; see `python -m benchmarks.write --help`."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated

import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.fleet import copy_readings, find_metric_ids, make_readings, register_fleet
from devices.bulk.columns import ReadingColumns, columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import MillpondError

_START = datetime(2026, 1, 1, tzinfo=UTC)
Batches = Sequence[tuple[Sequence[Reading], ReadingColumns]]


def main(
    rows: Annotated[int, typer.Option(min=1, help="Readings written.")] = 150_000,
    batch: Annotated[int, typer.Option(min=1, help="Readings in one transaction.")] = 15_000,
    devices: Annotated[int, typer.Option(min=1, help="Devices they are of.")] = 200,
    repeats: Annotated[int, typer.Option(min=1, help="Times that all is measured; the median counts.")] = 3,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Rows a second of the write path, against raw binary COPY.

    **Measured:** `devices.bulk.storing.store_readings`, which ingest calls with the columns of a batch: each reading
    once, and the latest values. A transaction a batch, on one connection; nothing is decoded. Told besides: the same
    when every reading has come before, and new ones stored the way that is taken after a reconnect.

    **Reference:** one binary COPY of the same rows, made before, with set types, into an empty table of the same
    columns, keys and checks: no duplicates possible, no latest values, one transaction. COPY in the same batches is
    told besides.
    """
    with fresh_database(dsn) as own, connect(own) as conn, step("writing"):
        registered = register_fleet(conn, devices, _START)
        readings = make_readings(registered, find_metric_ids(conn), rows, _START)
        by_batch = [sorted(readings[i : i + batch], key=_key) for i in range(0, rows, batch)]
        batches = [(some, columns_of(some)) for some in by_batch]
        conn.execute("create table reading_copy (like reading including all)")
        seconds = [_measure(conn, batches) for _ in range(repeats)]
    ours, again, inserted, in_batches, copied = (rows / median(column) for column in zip(*seconds, strict=True))
    figures = {
        "rows_per_s": ours,
        "duplicates_per_s": again,
        "after_reconnect_rows_per_s": inserted,
        "copy_in_batches_rows_per_s": in_batches,
    }
    sizes = {"rows": rows, "batch": batch, "devices": devices, "repeats": repeats}
    reference = "one binary COPY of all rows into the same shape"
    tell(Result("write", "rows_per_s", "rows/s", figures, copied, reference, sizes), as_json=json)


def _key(reading: Reading) -> tuple[int, int, datetime]:
    return (reading.device_id, reading.metric_id, reading.measured_at)


def _measure(conn: WriteConnection, batches: Batches) -> tuple[float, ...]:
    """Seconds of our way into empty tables and into full ones, of that after a reconnect, of COPY, and of one COPY."""
    return (
        _timed_when_empty(conn, lambda: _store(conn, batches, new=True)),
        timed(lambda: _store(conn, batches, new=False))[1],
        _timed_when_empty(conn, lambda: _store(conn, batches, new=True, may_be_known=True)),
        _timed_when_empty(conn, lambda: _copy(conn, [some for some, _ in batches])),
        _timed_when_empty(conn, lambda: _copy(conn, [[reading for some, _ in batches for reading in some]])),
    )


def _timed_when_empty(conn: WriteConnection, act: Callable[[], None]) -> float:
    conn.execute("truncate reading, device_latest, reading_copy")
    return timed(act)[1]


def _store(conn: WriteConnection, batches: Batches, *, new: bool, may_be_known: bool = False) -> None:
    for _, columns in batches:
        with conn.transaction():
            stored = store_readings(conn, columns, may_be_known=may_be_known)
        if stored.new != new * len(columns):
            raise MillpondError(f"of {len(columns)} readings {stored.new} were stored as new")


def _copy(conn: WriteConnection, batches: Sequence[Sequence[Reading]]) -> None:
    for some in batches:
        with conn.transaction():
            copy_readings(conn, some, "reading_copy")


if __name__ == "__main__":
    run(main)
