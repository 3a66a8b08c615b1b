"""Storing many readings: each once, with the latest values, in the quickest way that goes."""

from dataclasses import dataclass

import numpy as np
from psycopg.errors import UniqueViolation

from devices.bulk.columns import ReadingColumns
from devices.bulk.store import copy_readings, insert_readings, select_unlike, upsert_latest
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
    already. So it is tried first; only then, or when they `may_be_known`, is it looked who is there. All in key order,
    so that two writers never deadlock.
    """
    if not len(columns):
        return Stored(0, _NONE)
    first = columns.first_of_each_key()
    unique = columns.take(first)
    if not may_be_known and _copies(conn, unique):
        new, differing = len(unique), _NONE
    else:
        new, differing = _store_missing(conn, unique)
        unique = unique.take(_all_but(differing, len(unique))) if len(differing) else unique
    if new:
        upsert_latest(conn, unique.newest_of_each_series())
    repeated = _all_but(first, len(columns)) if len(first) < len(columns) else _NONE
    return Stored(new, np.sort(np.concatenate([first[differing], _find_differing(conn, columns, repeated)])))


def _store_missing(conn: WriteConnection, columns: ReadingColumns) -> tuple[int, Ints]:
    """Store those that are not there; returns how many, and the places of those that disagree with what is there."""
    unlike = select_unlike(conn, columns)
    missing = columns.take(unlike.missing)
    if not len(missing) or _copies(conn, missing):
        return len(missing), unlike.differing
    # Somebody else stored some of them just now.
    new = insert_readings(conn, missing)
    return new, np.concatenate([unlike.differing, _find_differing(conn, columns, unlike.missing)])


def _find_differing(conn: WriteConnection, columns: ReadingColumns, places: Ints) -> Ints:
    """Those of the places whose readings disagree with what is stored."""
    return places[select_unlike(conn, columns.take(places)).differing] if len(places) else _NONE


def _all_but(places: Ints, count: int) -> Ints:
    others = np.ones(count, np.bool_)
    others[places] = False
    return np.flatnonzero(others)


def _copies(conn: WriteConnection, columns: ReadingColumns) -> bool:
    """Whether all could be stored by COPY; if not, some are there already and nothing was stored."""
    try:
        with conn.transaction():
            copy_readings(conn, columns)
    except UniqueViolation:
        return False
    return True
