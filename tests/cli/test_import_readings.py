"""`millpond import readings` as a command; what becomes of each row is tested with the use case."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.registry import register_device
from millpond.kernel.db import connect
from tests.cli.conftest import Run

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)


@pytest.fixture
def device(database: str) -> str:
    """A database in which A-1 is registered."""
    with connect(database) as conn:
        register_device(conn, serial="A-1", model="generic-purifier-pct", installed_at=AT - timedelta(days=90), at=AT)
    return database


def test_the_command_stores_what_is_good_and_points_at_what_is_not(device: str, tmp_path: Path, millpond: Run) -> None:
    path = tmp_path / "history.csv"
    path.write_text(
        "serial,metric,ts,value\nA-1,filter_life_pct,1771200000000,64\nA-1,filter_life_pct,1771203600000,x\n"
    )
    done = millpond("import", "readings", path, MILLPOND_DATABASE_URL=device)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 rows: 1 stored, 0 duplicate, 0 in conflict, 1 quarantined\n"
    first = f"the first is {path}:3: filter_life_pct is not a number"
    assert done.stderr.splitlines() == [f"bad rows, kept in quarantine: 1; {first}"]
    done = millpond("import", "readings", path, MILLPOND_DATABASE_URL=device)
    assert done.stdout == "2 rows: 0 stored, 2 duplicate, 0 in conflict, 0 quarantined\n"


def test_a_file_that_is_not_there_is_a_usage_error(device: str, millpond: Run) -> None:
    done = millpond("import", "readings", "nowhere.csv", MILLPOND_DATABASE_URL=device)
    assert done.returncode == 2
    assert "does not exist" in done.stderr
