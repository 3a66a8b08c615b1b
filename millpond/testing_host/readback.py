"""What the database holds, for a test to look at."""

from typing import Any

from psycopg.rows import dict_row

from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("millpond.testing_host")


def select_committed(conn: ReadConnection, serial: str) -> list[dict[str, Any]]:
    """A device's stored readings as `metric`, `at`, `value` (number, bool or text) and `corrected`, oldest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_Q["select_committed"], {"serial": serial}).fetchall()
    return [
        {"metric": row["metric"], "at": row["measured_at"], "value": _value(row), "corrected": row["corrected"]}
        for row in rows
    ]


def select_quarantined(conn: ReadConnection, serial: str) -> list[dict[str, Any]]:
    """What was refused of a device, as `item`, `code` and `reason`, oldest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_Q["select_quarantined"], {"serial": serial}).fetchall()


def select_refusals(conn: ReadConnection, after: int) -> dict[str, Any]:
    """`count` of items refused after the one with that id; `last_id`, `serial` and `reason` of the newest."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_Q["select_refusals"], {"after": after}).fetchone()
    assert row is not None
    return row


def select_outcomes(conn: ReadConnection) -> dict[str, Any]:
    """Counts of items: `received`, and what they became; the four outcomes add up to it."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_Q["select_outcomes"]).fetchone()
    assert row is not None
    return row


def _value(row: dict[str, Any]) -> float | bool | str:
    if row["state"] is not None:
        return str(row["state"])
    return bool(row["value"]) if row["kind"] == "boolean" else float(row["value"])
