"""`millpond import devices`: the good rows are stored, the bad ones named, and a second run changes nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from customers.accounts import select_customers
from devices.importing import DeviceImport, import_devices
from devices.owners import ClaimKind, find_claim_kind, select_owners
from devices.store import select_device, select_devices, select_installations
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import InvalidInput
from offers.ownership import assign_device
from simulators.runs.fleet import FleetPlan, build_fleet
from tests.cli.conftest import Run

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
HEADER = "serial,model,region,customer,installed_at\n"
GOOD = "A-1,reed-air-2,temperate,home-1,2026-02-01T09:00:00+09:00\nA-2,reed-tv-55,,,2026-02-01\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "fleet.csv"
    path.write_text(text)
    return path


def load(conn: WriteConnection, path: Path) -> DeviceImport:
    return import_devices(conn, path, at=AT, assign=assign_device)


def test_devices_get_their_parts_and_their_customer(conn: WriteConnection, tmp_path: Path) -> None:
    result = load(conn, write(tmp_path, HEADER + GOOD))
    assert (result.registered, result.unchanged, result.faults) == (2, 0, [])
    first, second = select_device(conn, "A-1"), select_device(conn, "A-2")
    assert first is not None
    assert second is not None
    assert first.region == "temperate"
    assert first.installed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert [i.installed_at for i in select_installations(conn, first.device_id)] == [first.installed_at]
    assert [(c.customer_id, c.external_key) for c in select_customers(conn)] == [(first.customer_id, "home-1")]
    assert second.customer_id is None


def test_a_second_run_leaves_everything_alone(conn: WriteConnection, tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + GOOD)
    load(conn, path)
    before = select_devices(conn)
    assert load(conn, path) == DeviceImport(0, 2, [])
    assert select_devices(conn) == before


def test_a_serial_that_comes_twice_is_one_device(conn: WriteConnection, tmp_path: Path) -> None:
    assert load(conn, write(tmp_path, HEADER + GOOD + GOOD)) == DeviceImport(2, 2, [])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("A-1,reed-tv-55,,,2026-02-01", "A-1 is registered as a reed-air-2, not as a reed-tv-55"),
        ("B-1,toaster,,,2026-02-01", "model toaster is not known"),
        ("B-1,reed-air-2,,,2026-02-01T09:00:00", "installed_at '2026-02-01T09:00:00' is not a date, nor a time with"),
        ("B-1,reed-air-2,,,", "installed_at '' is not a date"),
        ("B/1,reed-air-2,,,2026-02-01", "serial 'B/1' is not 1 to 64 letters"),
        ("B-1,reed-air-2", "the line has 2 columns, the first line has 5"),
        ('"B-1,reed-air-2,,,2026-02-01', "the line has a quote that does not end"),
        ("B-1,reed-air-2,\x00,,2026-02-01", "the line has a NUL character"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_stored(
    conn: WriteConnection, tmp_path: Path, line: str, sentence: str
) -> None:
    path = write(tmp_path, f"{HEADER}A-1,reed-air-2,,,2026-02-01\n{line}\nC-1,reed-air-2,,,2026-02-01\n")
    result = load(conn, path)
    assert result.registered == 2
    assert len(result.faults) == 1
    assert result.faults[0].startswith(f"{path}:3: ")
    assert sentence in result.faults[0]


def test_a_refused_device_leaves_no_customer_behind(conn: WriteConnection, tmp_path: Path) -> None:
    load(conn, write(tmp_path, HEADER + "B-1,toaster,,home-9,2026-02-01\n"))
    assert select_customers(conn) == []


def test_a_file_with_other_columns_is_refused(conn: WriteConnection, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no column model, region"):
        load(conn, write(tmp_path, "serial,customer,installed_at\n"))
    with pytest.raises(InvalidInput, match="has no column serial"):
        load(conn, write(tmp_path, ""))


def test_the_columns_may_come_in_another_order(conn: WriteConnection, tmp_path: Path) -> None:
    text = '\ufeffinstalled_at,customer,note,serial,model,region\r\n2026-02-01,,"a, b",A-1,reed-air-2,north\r\n\r\n'
    assert load(conn, write(tmp_path, text)).registered == 1
    device = select_device(conn, "A-1")
    assert device is not None
    assert device.region == "north"


def test_the_simulators_manifest_is_such_a_file(conn: WriteConnection, tmp_path: Path) -> None:
    fleet = build_fleet(FleetPlan(devices=30, seed=3, start=AT - timedelta(days=30), history_days=30))
    fleet.write_manifest(tmp_path / "devices.csv")
    assert load(conn, tmp_path / "devices.csv") == DeviceImport(30, 0, [])
    assert {d.serial for d in select_devices(conn)} == {r.serial for r in fleet.manifest}


def test_a_file_gives_an_owner_to_who_has_none_and_a_region_to_all(conn: WriteConnection, tmp_path: Path) -> None:
    load(conn, write(tmp_path, HEADER + GOOD))
    lines = "A-1,reed-air-2,north,home-2,2026-02-02\nA-2,reed-tv-55,south,home-2,2026-02-01\n"
    result = load(conn, write(tmp_path, HEADER + lines))
    assert (result.updated, result.unchanged, result.faults) == (2, 0, [])
    assert dict(result.ignored) == {"dates of installation": 1, "owners": 1}
    first, second = select_device(conn, "A-1"), select_device(conn, "A-2")
    assert first is not None
    assert second is not None
    (home_2,) = [c.customer_id for c in select_customers(conn) if c.external_key == "home-2"]
    assert (first.region, first.customer_id == home_2) == ("north", False)
    assert (second.region, second.customer_id) == ("south", home_2)
    assert [o.owned_from for o in select_owners(conn, second.device_id)] == [second.installed_at]


def test_a_file_of_before_gives_no_device_back_to_who_released_it(conn: WriteConnection, tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "A-1,reed-air-2,north,home-1,2026-02-01\n")
    load(conn, path)
    assign_device(conn, "A-1", None, at=AT, actor="customer")
    result = load(conn, path)
    device = select_device(conn, "A-1")
    assert device is not None
    assert (device.customer_id, dict(result.ignored)["owners"]) == (None, 1)
    assert len(select_owners(conn, device.device_id)) == 1


@pytest.mark.parametrize("moment", ["1970-01-01", "2026-02-16T12:00:01Z", "2199-01-01", "1771234567890"])
def test_nothing_was_installed_in_the_future_or_in_1970(conn: WriteConnection, tmp_path: Path, moment: str) -> None:
    result = load(conn, write(tmp_path, f"{HEADER}B-1,reed-air-2,,home-9,{moment}\n"))
    assert (result.registered, len(result.faults)) == (0, 1)
    assert "installed_at" in result.faults[0]
    assert select_customers(conn) == []


def test_a_day_that_has_begun_only_further_east_is_no_future(conn: WriteConnection, tmp_path: Path) -> None:
    assert load(conn, write(tmp_path, f"{HEADER}B-1,reed-air-2,,,2026-02-17\n")).registered == 1


def test_claim_codes_are_written_once_for_devices_that_nobody_owns(conn: WriteConnection, tmp_path: Path) -> None:
    path, codes = write(tmp_path, HEADER + GOOD), tmp_path / "codes.csv"
    assert import_devices(conn, path, at=AT, assign=assign_device, claim_codes=codes).claim_codes == 1
    assert import_devices(conn, path, at=AT, assign=assign_device, claim_codes=codes).claim_codes == 0
    header, line = codes.read_text().splitlines()
    serial, code = line.split(",")
    assert (header, serial) == ("serial,claim_code", "A-2")
    assert find_claim_kind(conn, "A-2", code, at=AT) is ClaimKind.LABEL


def test_the_command_says_what_it_ignored(database: str, tmp_path: Path, millpond: Run) -> None:
    settings = {"MILLPOND_DATABASE_URL": database}
    millpond("import", "devices", write(tmp_path, HEADER + GOOD), **settings)
    path = write(
        tmp_path, HEADER + "A-1,reed-air-2,north,home-2,2026-02-01T09:00:00+09:00\nA-2,reed-tv-55,,,2026-02-01\n"
    )
    done = millpond("import", "devices", path, "--claim-codes", tmp_path / "codes.csv", **settings)
    assert done.returncode == 0
    assert done.stdout.startswith("devices registered: 0; there already: 1; rows refused: 0; updated: 1\n")
    assert done.stdout.endswith("codes.csv: 1\n")
    assert done.stderr == "ignored: 1 other owners: an operator changes them with PATCH /v1/devices/SERIAL\n"


def test_the_command_says_what_it_did(database: str, tmp_path: Path, millpond: Run) -> None:
    path = write(tmp_path, HEADER + GOOD)
    done = millpond("import", "devices", path, MILLPOND_DATABASE_URL=database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "devices registered: 2; there already: 0; rows refused: 0\n"
    path = write(tmp_path, HEADER + GOOD + "B-1,toaster,,,2026-02-01\n")
    done = millpond("import", "devices", path, MILLPOND_DATABASE_URL=database)
    assert done.returncode == 1
    assert done.stderr == f"{path}:4: model toaster is not known: add its profile first\n"
    assert done.stdout == "devices registered: 0; there already: 2; rows refused: 1\n"
    with connect(database) as conn:
        assert len(select_devices(conn)) == 2
