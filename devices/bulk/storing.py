"""Storing many readings: each once, with the latest values, in the quickest way that goes."""

from dataclasses import dataclass

import numpy as np
from psycopg.errors import UniqueViolation

from devices.bulk.columns import ReadingColumns
from devices.bulk.store import copy_readings, insert_readings, select_differing, upsert_latest
from millpond.kernel.arrays import Ints
from millpond.kernel.db import WriteConnection

_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """How many readings were new, and the places of those that disagree with what was there before them."""

    new: int
    differing: Ints


def store_readings(conn: WriteConnection, columns: ReadingColumns, *, may_be_known: bool = False) -> Stored:
    """Store each reading once and keep the latest values, within the caller's transaction.

    Of several with one key the first is stored. COPY is by far the quickest and ends at the first reading that is there
    already, so it is tried first; readings that `may_be_known` are inserted at once. All in key order, so that two
    writers never deadlock.
    """
    if not len(columns):
        return Stored(0, _NONE)
    first = columns.first_of_each_key()
    unique = columns.take(first)
    new = None if may_be_known else _try_to_copy(conn, unique)
    if new is None:
        new = insert_readings(conn, unique)
    # Whoever counts knows: when as many were stored as came, nobody was there before.
    differing = _NONE if new == len(columns) else select_differing(conn, columns)
    if new:
        agreeing = unique.take(~np.isin(first, differing)) if len(differing) else unique
        upsert_latest(conn, agreeing.newest_of_each_series())
    return Stored(new, differing)


def _try_to_copy(conn: WriteConnection, columns: ReadingColumns) -> int | None:
    """How many were stored: all. None when some are there already; then nothing was."""
    try:
        with conn.transaction():
            return copy_readings(conn, columns)
    except UniqueViolation:
        return None
