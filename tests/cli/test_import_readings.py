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
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "2 rows: 1 stored, 0 duplicate, 0 in conflict, 1 quarantined",
        "refused by reason: wrong_kind 1",
    ]
    assert done.stderr.splitlines() == [
        f"{path}:3: filter_life_pct is not a number",
        "all are kept in quarantine: see /ops/quarantine",
    ]
    done = millpond("import", "readings", path, MILLPOND_DATABASE_URL=device)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "2 rows: 0 stored, 2 duplicate (1 bad and in quarantine already), 0 in conflict, 0 quarantined",
        "refused by reason: wrong_kind 1",
    ]


def test_rows_that_are_all_stored_or_were_before_exit_0(device: str, tmp_path: Path, millpond: Run) -> None:
    path = tmp_path / "history.csv"
    path.write_text("serial,metric,ts,value\nA-1,filter_life_pct,1771200000000,64\n")
    for stored, duplicate in ((1, 0), (0, 1)):
        done = millpond("import", "readings", path, MILLPOND_DATABASE_URL=device)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"1 rows: {stored} stored, {duplicate} duplicate, 0 in conflict, 0 quarantined\n"


def test_refused_rows_are_counted_by_reason_the_most_common_first(device: str, tmp_path: Path, millpond: Run) -> None:
    path = tmp_path / "history.csv"
    bad = ["A-1,filter_life_pct,2026-02-16,1", *[f"B-{n},filter_life_pct,1771200000000,1" for n in range(2)]]
    path.write_text("\n".join(["serial,metric,ts,value", "A-1,filter_life_pct,1771200000000,64", *bad]) + "\n")
    done = millpond("import", "readings", path, MILLPOND_DATABASE_URL=device)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "refused by reason: unknown_serial 2, bad_time 1"


def test_of_many_bad_rows_five_are_named(device: str, tmp_path: Path, millpond: Run) -> None:
    path = tmp_path / "history.csv"
    path.write_text("serial,metric,ts,value\n" + "".join(f"B-{n},power,1771200000000,true\n" for n in range(11)))
    done = millpond("import", "readings", path, MILLPOND_DATABASE_URL=device)
    assert done.stderr.splitlines() == [
        *(f"{path}:{n + 2}: serial B-{n} is not registered" for n in range(5)),
        "6 more bad rows are not named here; all are kept in quarantine: see /ops/quarantine",
    ]
    assert done.stdout.splitlines() == [
        "11 rows: 0 stored, 0 duplicate, 0 in conflict, 11 quarantined",
        "refused by reason: unknown_serial 11",
    ]


def test_a_file_that_is_not_there_is_a_usage_error(device: str, millpond: Run) -> None:
    done = millpond("import", "readings", "nowhere.csv", MILLPOND_DATABASE_URL=device)
    assert done.returncode == 2
    assert "does not exist" in done.stderr
