"""One function, one statement: readings by column into the database, and what of them was there already."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.bulk.columns import ReadingColumns
from devices.bulk.rows import copy_rows
from millpond.kernel.arrays import Array, Ints, bigints, booleans, doubles, from_us, integers, moments, null_texts
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("devices.bulk")


@dataclass(frozen=True, slots=True, eq=False)
class Unlike:
    """The places of readings that are not stored, in order, and of those that disagree with what is stored."""

    missing: Ints
    differing: Ints


def copy_readings(conn: WriteConnection, columns: ReadingColumns) -> int:
    """Store readings by COPY; returns how many. One that is there already is a psycopg.errors.UniqueViolation."""
    with conn.cursor() as cursor:
        with cursor.copy(_Q["copy_readings"]) as copy:
            copy.write(copy_rows(columns))
        return cursor.rowcount


def insert_readings(conn: WriteConnection, columns: ReadingColumns) -> int:
    """Store readings, one per key, and return how many were new; the others are left as they are."""
    return conn.execute(_Q["insert_readings"], _parameters(columns)).rowcount


def select_unlike(conn: ReadConnection, columns: ReadingColumns) -> Unlike:
    """Which of the readings are not stored, and which are and disagree with what is stored; the others are the same."""
    span = {"from_at": from_us(columns.measured_us.min()), "to_at": from_us(columns.measured_us.max())}
    [(missing, differing)] = conn.execute(_Q["select_unlike"], _parameters(columns) | span).fetchall()
    return Unlike(np.sort(np.array(missing, np.int64)), np.array(differing, np.int64))


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
