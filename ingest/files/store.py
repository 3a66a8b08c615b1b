"""One function, one statement: the temporary table through which a file's readings pass."""

from collections.abc import Sequence
from datetime import datetime

from devices.nouns import Reading
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest.files")
_TYPES = ("int8", "int8", "int4", "timestamptz", "float8", "text")


def create_import_row(conn: WriteConnection) -> None:
    """Make this session's table `import_row`, which every commit empties; safe to repeat."""
    conn.execute(_Q["create_import_row"])


def copy_import_rows(conn: WriteConnection, readings: Sequence[tuple[int, Reading]]) -> None:
    """Put readings with their line numbers into `import_row`, by COPY."""
    with conn.cursor() as cursor, cursor.copy(_Q["copy_import_rows"]) as copy:
        copy.set_types(_TYPES)
        for line, r in readings:
            copy.write_row((line, r.device_id, r.metric_id, r.measured_at, r.value, r.state))


def insert_imported_readings(conn: WriteConnection, at: datetime) -> int:
    """Store what is new of `import_row`, received at `at`, and keep the latest values; returns how many were new."""
    row = conn.execute(_Q["insert_imported_readings"], {"at": at}).fetchone()
    return int(row[0]) if row else 0


def insert_import_conflicts(conn: WriteConnection, at: datetime, from_at: datetime, to_at: datetime) -> int:
    """Keep rows of `import_row`, measured from `from_at` to `to_at`, that disagree with what is stored.

    Returns how many were not kept already.
    """
    return conn.execute(_Q["insert_import_conflicts"], {"at": at, "from_at": from_at, "to_at": to_at}).rowcount
