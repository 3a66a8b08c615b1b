"""One function, one statement: the temporary table through which many readings pass into `reading`."""

from collections.abc import Iterable
from datetime import datetime

from psycopg.rows import class_row

from devices.nouns import Reading
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("devices.bulk")
_TYPES = ("int8", "int8", "int4", "timestamptz", "float8", "text")


def create_copied_reading(conn: WriteConnection) -> None:
    """Make this session's table `copied_reading`, which every commit empties; safe to repeat."""
    conn.execute(_Q["create_copied_reading"])


def copy_readings(conn: WriteConnection, numbered: Iterable[tuple[int, Reading]]) -> None:
    """Put readings into `copied_reading`, by COPY; of two with one key that with the lower number is the first."""
    with conn.cursor() as cursor, cursor.copy(_Q["copy_readings"]) as copy:
        copy.set_types(_TYPES)
        for number, r in numbered:
            copy.write_row((number, r.device_id, r.metric_id, r.measured_at, r.value, r.state))


def insert_copied_readings(conn: WriteConnection, at: datetime) -> int:
    """Store what is new of `copied_reading`, received at `at`, and keep the latest values; returns how many were new.

    None of them counts as corrected.
    """
    [(count,)] = conn.execute(_Q["insert_copied_readings"], {"at": at}).fetchall()
    return int(count)


def select_differing_readings(conn: WriteConnection, at: datetime, from_at: datetime, to_at: datetime) -> list[Reading]:
    """Those of `copied_reading`, measured from `from_at` to `to_at`, that disagree with what is stored, by key."""
    values = {"at": at, "from_at": from_at, "to_at": to_at}
    with conn.cursor(row_factory=class_row(Reading)) as cursor:
        return cursor.execute(_Q["select_differing_readings"], values).fetchall()
