"""Who writes which table: one package each, as docs/architecture.md says, and nobody writes another's."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from millpond.kernel.db import WriteConnection
from tests.rules.source import PRODUCT, ROOT, files, parse, select_tables

PAGE = ROOT / "docs" / "architecture.md"
COLUMN = "writes these tables"
_WRITE = re.compile(
    # `for update` locks, `on conflict … do update` says its table before; a copy writes only `from` somewhere.
    r"(?<!for )(?<!key )(?<!do )\b(?:insert into|merge into|update(?: only)?|delete from(?: only)?|truncate(?: table)?)"
    r" (?!set\b)(\w+)"
    r"|\bcopy (\w+) (?:\([^)]*\) )?from\b"
)
_STATEMENT = r"\s*(insert|update|delete|merge|truncate|copy|with) "


def tables_of_page() -> dict[str, list[str]]:
    """The tables of each package, by the table at the top of the page."""
    lines = PAGE.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if COLUMN in line) + 2
    end = next(i for i, line in enumerate(lines) if i > start and not line.startswith("|"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]
    return {package.strip("`").split("/")[0]: re.findall(r"`([^`]+)`", own) for package, _, own in rows if "`" in own}


OWNED = tables_of_page()
ALL = {table for tables in OWNED.values() for table in tables}


def find_written(statement: str) -> set[str]:
    """The tables that a statement writes, without those that it made itself."""
    plain = " ".join(re.sub(r"--[^\n]*|'[^']*'", " ", statement.lower()).split())
    temporary = set(re.findall(r"create temporary table (?:if not exists )?(\w+)", plain))
    return {table for found in _WRITE.findall(plain) for table in found if table} - temporary


def written_in_python(path: Path) -> set[str]:
    """Tables of ours that are written by a text in a Python file."""
    texts = [node.value for node in ast.walk(parse(path)) if isinstance(node, ast.Constant)]
    statements = [text for text in texts if isinstance(text, str) and re.match(_STATEMENT, text)]
    return {table for statement in statements for table in find_written(statement)} & ALL


def test_every_table_of_the_schema_has_one_owner(conn: WriteConnection) -> None:
    tables = select_tables(conn)
    counted = Counter(table for own in OWNED.values() for table in own)
    assert [table for table, owners in counted.items() if owners > 1] == []
    assert tables - counted.keys() == set(), f"docs/architecture.md, {COLUMN!r}: whose are these?"
    assert counted.keys() - tables == set(), f"docs/architecture.md, {COLUMN!r}: these are no more"


@pytest.mark.parametrize("package", PRODUCT)
def test_a_package_writes_its_own_tables_only(package: str) -> None:
    statements = [
        path.read_text() for file, path in files(package, ending=".sql").items() if "/migrations/" not in file
    ]
    written = {table for text in statements for table in find_written(text)}
    written |= {table for path in files(package).values() for table in written_in_python(path)}
    assert written - set(OWNED.get(package, [])) == set(), f"docs/architecture.md says who writes them: not {package}"


def test_a_function_of_the_database_writes_tables_of_one_package(conn: WriteConnection) -> None:
    rows = conn.execute("select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace").fetchall()
    written = {name: find_written(source) & ALL for name, source in rows}
    assert any(written.values())
    owners = {name: {p for p, own in OWNED.items() if tables & set(own)} for name, tables in written.items()}
    assert {name: found for name, found in owners.items() if len(found) > 1} == {}


def test_every_table_is_written_by_somebody() -> None:
    written = {table for path in files(*PRODUCT, ending=".sql").values() for table in find_written(path.read_text())}
    written |= {table for path in files(*PRODUCT).values() for table in written_in_python(path)}
    assert ALL - written == set(), "nothing writes them: not even a migration"


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("insert into offer (a) select a from device on conflict (a) do update set a = 1", {"offer"}),
        ("with old as (delete from only offer returning 1) update device set a = 1", {"offer", "device"}),
        ("merge into offer using device on true when matched then update set a = 1", {"offer"}),
        ("copy reading (device_id, value) from stdin (format binary)", {"reading"}),
        ("copy (select 1 from reading) to stdout", set()),
        ("select 1 from offer for no key update of offer", set()),
        ("select 'delete from offer' -- insert into device", set()),
        ("create temporary table fresh (a int); insert into fresh values (1); truncate offer", {"offer"}),
    ],
)
def test_what_is_written_is_found_however_it_is_written(statement: str, tables: set[str]) -> None:
    assert find_written(statement) == tables
