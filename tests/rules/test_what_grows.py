"""Every table has an end, or a reason to stay, and the operator can read which."""

import re
from pathlib import Path

import pytest

from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import Settings, load_settings
from millpond.retention import make_endings
from tests.rules.source import select_tables

PAGE = Path(__file__).parents[2] / "docs" / "retention.md"
HEADING = "## What grows, by how much, and when it goes"
ENDED = {ending.table for ending in make_endings(load_settings())}
# By whole days or chunks, which is not a statement of its own here.
ENDED_ELSEWHERE = {"reading"}


def rows_of_page() -> dict[str, list[str]]:
    """The cells behind each table's name."""
    [section] = re.findall(rf"^{re.escape(HEADING)}\n(.*?)(?=^##)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    return {cells[0].strip("`"): cells[1:] for cells in lines[2:]}


ROWS = rows_of_page()


def test_every_table_is_on_the_page_that_says_what_grows(conn: WriteConnection) -> None:
    tables = select_tables(conn)
    assert tables - ROWS.keys() == set(), f"docs/retention.md, {HEADING!r}: a row each; an ending in its retention.py"
    assert ROWS.keys() - tables == set(), f"docs/retention.md, {HEADING!r}: these tables are no more"


@pytest.mark.parametrize("table", sorted(ROWS))
def test_every_table_says_its_size_and_its_end_or_why_it_has_none(table: str) -> None:
    size, grows, goes = ROWS[table]
    assert re.fullmatch(r"[\d,]+|–", size), "bytes a row, measured"
    assert grows
    named = set(re.findall(r"MILLPOND_(\w+)", goes))
    assert named <= {name.upper() for name in Settings.model_fields}
    assert bool(named) == (table in ENDED | ENDED_ELSEWHERE), "what has an ending names its setting, and only that"
    assert named or goes.startswith("stays: "), "it goes under a setting, or it stays for a reason"


def test_every_setting_that_lets_something_go_is_on_the_page() -> None:
    named = set(re.findall(r"MILLPOND_(\w+_KEEP_DAYS)", " ".join(cells[2] for cells in ROWS.values())))
    assert {name.upper() for name in Settings.model_fields if name.endswith("_keep_days")} == named
