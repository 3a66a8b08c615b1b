"""One function, one statement: readings by column into the database, and what of them was there already."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.bulk.columns import ReadingColumns, States
from devices.bulk.rows import copy_rows
from millpond.kernel.arrays import (
    Array,
    Ints,
    array_literal,
    bigints,
    booleans,
    doubles,
    from_us,
    integers,
    moments,
    null_texts,
)
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
    """Keep these values where they are the newest; one for each device and metric, in this order.

    Most devices say the same metrics each time, and then their row is replaced. The others' is put together anew.
    """
    firsts = columns.first_of_each_device()
    device_ids = columns.device_ids[firsts]
    renewed = [device_id for (device_id,) in conn.execute(_Q["replace_latest"], _by_device(columns, firsts)).fetchall()]
    if len(renewed) < len(device_ids):
        others = columns.take(~np.isin(columns.device_ids, renewed))
        conn.execute(_Q["merge_latest"], _parameters(others))


def _by_device(columns: ReadingColumns, firsts: Ints) -> dict[str, Any]:
    """Columns of devices, each with the places of its readings; PostgreSQL counts these from 1."""
    ends = np.append(firsts[1:], len(columns))
    return {
        "device_ids": bigints(columns.device_ids[firsts]),
        "newest_ats": moments(np.maximum.reduceat(columns.measured_us, firsts)),
        "received_ats": moments(np.maximum.reduceat(columns.received_us, firsts)),
        "firsts": integers(firsts + 1),
        "lasts": integers(ends),
        "states": _states_by_device(columns.states, firsts, ends),
        "metric_ids": integers(columns.metric_ids),
        "measured_ats": moments(columns.measured_us),
        # A state's value is NaN there.
        "values": doubles(columns.values, nan_is_null=False),
    }


def _states_by_device(states: States | None, firsts: Ints, ends: Ints) -> Array | list[str | None]:
    if states is None:
        return null_texts(len(firsts))
    each = [states[first:end].tolist() for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)]
    return [array_literal(some) if any(one is not None for one in some) else None for some in each]


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
