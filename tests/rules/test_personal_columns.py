"""Every column of every table has a verdict: is it of a person, are they given it, what becomes of it in the end?"""

from collections import Counter

import pytest

from dam.personal import personal_tables
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.personal import Fate, Person, Table, erase_rows, export_rows
from tests.people import AT

TABLES = {table.name: table for table in personal_tables()}
NOBODY = Person((CustomerId("cus_nobody"),), (-1,))
PERSONAL = {Fate.GONE, Fate.NULLED, Fate.WORDED, Fate.KEPT}
GOES = {Fate.GONE, Fate.NULLED, Fate.WORDED}
GOES_WITH_ANOTHER = {"quarantine": "with its message", "quarantine_edit": "with its message"}
"""Tables whose rows go by the statement of another."""

_COLUMNS = """
    select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped"""


def test_every_column_of_the_schema_has_one_verdict(conn: WriteConnection) -> None:
    of_schema = set(conn.execute(_COLUMNS).fetchall())
    judged = Counter((table.name, column.name) for table in personal_tables() for column in table.columns)
    assert of_schema - judged.keys() == set(), (
        "is it of a person? say so in the personal.py of the package that owns it"
    )
    assert judged.keys() - of_schema == set(), "these are no more: take them out of their personal.py"
    assert [column for column, times in judged.items() if times > 1] == []


@pytest.mark.parametrize("name", sorted(TABLES))
def test_what_is_personal_is_exported_or_says_why_not_and_goes_or_says_why_not(
    conn: WriteConnection, name: str
) -> None:
    table = TABLES[name]
    personal = {column.name for column in table.columns if column.fate in PERSONAL}
    assert personal - _exported(conn, table) == table.withheld.keys() & personal, "export it, or say why it is withheld"
    assert all(column.because for column in table.columns if column.fate is Fate.KEPT), "say why it is kept"
    goes = [column.name for column in table.columns if column.fate in GOES]
    assert not goes or table.erase or name in GOES_WITH_ANOTHER, f"{goes}: by which statement do they go?"
    assert erase_rows(conn, table, NOBODY, AT) == 0


def _exported(conn: WriteConnection, table: Table) -> set[str]:
    if table.export is None:
        return set()
    assert list(export_rows(conn, table.export, NOBODY)) == []
    values: dict[str, list[str]] = {"customer_ids": [], "identifier_ids": []}
    return {column.name for column in conn.execute(table.export.statement, values).description or ()}


def test_each_part_of_an_export_has_a_name_of_its_own() -> None:
    names = [table.export.name for table in TABLES.values() if table.export is not None]
    assert sorted(set(names)) == sorted(names)


def test_what_refers_to_another_table_goes_before_it(conn: WriteConnection) -> None:
    """So that no foreign key stands against an erasure."""
    order = {table.name: place for place, table in enumerate(personal_tables())}
    refers = conn.execute(
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f'"
    )
    whole = {name for name, table in TABLES.items() if any(column.fate is Fate.GONE for column in table.columns)}
    wrong = [(child, parent) for child, parent in refers if parent in whole and order.get(child, 0) > order[parent]]
    assert [pair for pair in wrong if pair[0] not in GOES_WITH_ANOTHER] == []
