"""What the database holds, for a test to look at."""

from collections.abc import Callable
from datetime import datetime
from typing import LiteralString, TypeVar

from psycopg.rows import kwargs_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.testing.protocol import OutcomesRow, QuarantinedRow, ReadingRow, Refusals

_T = TypeVar("_T")
_Q = load_queries("millpond.testing_host")


def select_committed(conn: ReadConnection, serial: str) -> list[ReadingRow]:
    """A device's stored readings, oldest first."""
    return _select(conn, _Q["select_committed"], _reading, serial=serial)


def select_quarantined(conn: ReadConnection, serial: str) -> list[QuarantinedRow]:
    """What was refused of a device, oldest first."""
    return _select(conn, _Q["select_quarantined"], QuarantinedRow, serial=serial)


def select_refusals(conn: ReadConnection, after: int) -> Refusals:
    """What was refused after the item with that id."""
    return _select(conn, _Q["select_refusals"], Refusals, after=after)[0]


def select_outcomes(conn: ReadConnection) -> OutcomesRow:
    """Counts of items; the four outcomes add up to what was received."""
    return _select(conn, _Q["select_outcomes"], OutcomesRow)[0]


def _select(conn: ReadConnection, query: LiteralString, row: Callable[..., _T], **values: object) -> list[_T]:
    with conn.cursor(row_factory=kwargs_row(row)) as cursor:
        return cursor.execute(query, values).fetchall()


def _reading(
    metric: str, measured_at: datetime, value: float | None, state: str | None, kind: str, corrected: bool
) -> ReadingRow:
    told = state if state is not None else bool(value) if kind == "boolean" else float(value or 0)
    return {"metric": metric, "at": measured_at.isoformat(), "value": told, "corrected": corrected}
