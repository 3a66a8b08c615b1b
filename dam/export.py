"""All that is known of a person, for themselves: one JSON object, made row by row and never held whole.

`parts` has a list for each kind of thing, named as the packages name it in their `personal.py`, in an order that stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import orjson
from psycopg import IsolationLevel

from customers.erased import select_person
from dam.personal import personal_tables
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.personal import Export, export_rows

FORM = "millpond-person-1"


def parts_of_export() -> list[Export]:
    """What an export has, in its order: the profile first."""
    parts = [table.export for table in reversed(personal_tables()) if table.export is not None]
    return sorted(parts, key=lambda part: part.name != "profile")


def write_export(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> Iterator[bytes]:
    """The export as JSON in pieces, all as of one moment of the database; `conn` is in no transaction."""
    with _one_moment(conn):
        person = select_person(conn, customer_id)
        head = {"form": FORM, "made_at": at, "customer_ids": person.customer_ids}
        yield orjson.dumps(head)[:-1] + b',"parts":{'
        for number, part in enumerate(parts_of_export()):
            yield (b"," if number else b"") + orjson.dumps(part.name) + b":["
            for place, row in enumerate(export_rows(conn, part, person)):
                yield (b"," if place else b"") + orjson.dumps(row, default=str)
            yield b"]"
        yield b"}}\n"


@contextmanager
def _one_moment(conn: ReadConnection) -> Iterator[None]:
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with conn.transaction():
            yield
    finally:
        conn.isolation_level = None
