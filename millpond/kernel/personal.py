"""What is kept of people: a verdict for every column of every table, what a person is given of it, and how it goes.

Each package says it of its own tables in its `personal.py`; `dam/personal.py` has all of them, and a rule holds them
against the schema. Export and erasure know no table but through it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString

from psycopg.rows import dict_row

from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId

WORD = "erased"
"""What stands in place of a text that has to be there."""


class Fate(StrEnum):
    """What a column is to a person, and what becomes of it when they are erased.

    `plain` says nothing of anybody. A `pseudonym` is an id of ours that says nothing either, once nothing else tells
    whose it is; it stays. All others are personal: `gone` goes with its row, `nulled` becomes null, `worded` is
    replaced by a word, `kept` stays for a reason.
    """

    PLAIN = "plain"
    PSEUDONYM = "pseudonym"
    GONE = "gone"
    NULLED = "nulled"
    WORDED = "worded"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Column:
    """The verdict on one column; `because` says why it is kept."""

    name: str
    fate: Fate
    because: str = ""


Columns = tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about: all ids of one person, and the identifiers that lead to nobody else."""

    customer_ids: tuple[CustomerId, ...]
    identifier_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """What a person is given of a table: under which name, and the statement.

    It takes `customer_ids` and `identifier_ids`, and answers with a row for each thing, in an order that stays.
    """

    name: str
    statement: LiteralString


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the verdict on each of its columns.

    Each statement of `erase` takes `customer_ids`, `identifier_ids`, `at` and `word`, and changes the rows of a person,
    which are counted; run again it finds none. `withheld` names the personal columns that are not exported, and why.
    """

    name: str
    columns: Columns
    because: str = ""
    export: Export | None = None
    erase: tuple[LiteralString, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)


def plain(names: str) -> Columns:
    """Columns, named in one text, that say nothing of anybody."""
    return _columns(names, Fate.PLAIN)


def pseudonym(names: str) -> Columns:
    """Ids of ours, which are kept."""
    return _columns(names, Fate.PSEUDONYM)


def gone(names: str) -> Columns:
    """Personal: it goes with its row."""
    return _columns(names, Fate.GONE)


def nulled(names: str) -> Columns:
    """Personal: it becomes null."""
    return _columns(names, Fate.NULLED)


def worded(names: str) -> Columns:
    """Personal: a word takes its place."""
    return _columns(names, Fate.WORDED)


def kept(names: str, *, because: str) -> Columns:
    """Personal, and kept for a reason."""
    return _columns(names, Fate.KEPT, because)


def nobodys(name: str, columns: str, *, because: str) -> Table:
    """A table that has nothing of a person: all of its columns, and what it is about instead."""
    return Table(name, plain(columns), because)


def machines(name: str, columns: str) -> Table:
    """A table of what a device said: only `device_owner` tells whose it was, until an erasure."""
    return Table(name, plain(columns), "a machine's: only device_owner tells whose it was, and erasure ends that")


def erase_rows(conn: WriteConnection, table: Table, person: Person, at: datetime) -> int:
    """Let go what a table has of a person; how many rows it was."""
    values = _values(person) | {"at": at, "word": WORD}
    return sum(conn.execute(statement, values).rowcount for statement in table.erase)


def export_rows(
    conn: ReadConnection, export: Export, person: Person, *, at_once: int = 500
) -> Iterator[dict[str, Any]]:
    """A person's rows of one table, a few at a time from a cursor of the server; the caller has a transaction open."""
    with conn.cursor(f"export_{export.name}", row_factory=dict_row) as cursor:
        cursor.itersize = at_once
        yield from cursor.execute(export.statement, _values(person))


def _values(person: Person) -> dict[str, Any]:
    return {"customer_ids": list(person.customer_ids), "identifier_ids": list(person.identifier_ids)}


def _columns(names: str, fate: Fate, because: str = "") -> Columns:
    return tuple(Column(name, fate, because) for name in names.split())
