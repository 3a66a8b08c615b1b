"""One function, one statement: readings by column into the database, and what of them was there already."""

from typing import Any

import numpy as np

from devices.bulk.columns import ReadingColumns
from devices.bulk.rows import copy_rows
from millpond.kernel.arrays import Array, Ints, bigints, booleans, doubles, from_us, integers, moments, null_texts
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("devices.bulk")


def copy_readings(conn: WriteConnection, columns: ReadingColumns) -> int:
    """Store readings by COPY; returns how many. One that is there already is a psycopg.errors.UniqueViolation."""
    with conn.cursor() as cursor:
        with cursor.copy(_Q["copy_readings"]) as copy:
            copy.write(copy_rows(columns))
        return cursor.rowcount


def insert_readings(conn: WriteConnection, columns: ReadingColumns) -> int:
    """Store readings, one per key, and return how many were new; the others are left as they are."""
    return conn.execute(_Q["insert_readings"], _parameters(columns)).rowcount


def select_differing(conn: ReadConnection, columns: ReadingColumns) -> Ints:
    """Which of the readings disagree with what is stored under their key, by their places in the columns."""
    span = {"from_at": from_us(columns.measured_us.min()), "to_at": from_us(columns.measured_us.max())}
    rows = conn.execute(_Q["select_differing"], _parameters(columns) | span).fetchall()
    return np.array([row for (row,) in rows], np.int64)


def upsert_latest(conn: WriteConnection, columns: ReadingColumns) -> None:
    """Keep these values where they are the newest; one for each device and metric, in this order."""
    conn.execute(_Q["upsert_latest"], _parameters(columns))


def _parameters(columns: ReadingColumns) -> dict[str, Any]:
    states: Array | list[str | None]
    states = null_texts(len(columns)) if columns.states is None else columns.states.tolist()
    return {
        "device_ids": bigints(columns.device_ids),
        "metric_ids": integers(columns.metric_ids),
        "measured_ats": moments(columns.measured_us),
        "values": doubles(columns.values),
        "states": states,
        "received_ats": moments(columns.received_us),
        "corrected": booleans(columns.corrected),
    }
