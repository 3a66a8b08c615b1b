"""A file of devices into the registry: each row stands or falls alone, and a second run changes nothing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from customers.accounts import find_or_register_customer, select_customer_by_key
from devices.credentials.provisioning import provision_devices
from devices.nouns import Device
from devices.owners import ClaimKind, issue_claim_code, select_labelled, select_owners
from devices.registry import move_device, register_device
from devices.store import select_devices_by_serial
from devices.wire_time import parse_ts
from millpond.kernel.db import WriteConnection
from millpond.kernel.device_keys import DeviceKeys
from millpond.kernel.errors import Conflict, InvalidInput, MillpondError
from millpond.kernel.ids import CustomerId
from millpond.kernel.table_file import Row, read_chunks, text_cells

COLUMNS = ("serial", "model", "region", "customer", "installed_at")
_CHUNK_ROWS = 500
_AHEAD_OF_UTC = timedelta(hours=14)


class Assign(Protocol):
    """Makes a customer the owner of a device, as `offers.ownership.assign_device` does."""

    def __call__(
        self, conn: WriteConnection, serial: str, customer_id: CustomerId | None, *, at: datetime, actor: str
    ) -> Device: ...


@dataclass(slots=True)
class DeviceImport:
    """What became of the rows; `faults` are sentences that begin with `FILE:LINE:`.

    `ignored` counts, by what it was, where a file says other than what is stored and may not change it.
    """

    registered: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)
    updated: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    claim_codes: int = 0
    credentials: int = 0


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Devices without a credential get one, written to a CSV file `output`."""

    keys: DeviceKeys
    output: Path


def import_devices(
    conn: WriteConnection,
    path: Path,
    *,
    at: datetime,
    assign: Assign,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
    claim_codes: Path | None = None,
    provision: Provisioning | None = None,
) -> DeviceImport:
    """Register the devices of a CSV file, one transaction a chunk; a customer is created when the key is new.

    `assign` makes a customer the owner of a device that is there already, with all that this means above devices.
    A device that is there gets the file's region, and its owner if it never had one; another owner or another date of
    installation is ignored and counted. Into `claim_codes` goes a CSV line `serial,claim_code` for each device of the
    file that has neither an owner nor a code; `provision` issues a credential to each that has none.
    Raises InvalidInput for a file without the columns.
    """
    result = DeviceImport()
    for chunk in read_chunks(path, COLUMNS, _CHUNK_ROWS):
        with conn.transaction():
            known = _select_known(conn, chunk.rows)
            for row in chunk.rows:
                _import_row(conn, path, row, known, result, at, assign)
            if claim_codes is not None:
                result.claim_codes += _write_claim_codes(conn, claim_codes, list(known.values()), at)
            if provision is not None:
                keys, output = provision.keys, provision.output
                result.credentials += provision_devices(conn, keys, known.values(), output, at=at, by="operator:import")
        on_progress(chunk.done, chunk.of)
    return result


def _select_known(conn: WriteConnection, rows: Sequence[Row]) -> dict[str, Device]:
    serials = [str(row.cells[0]) for row in rows if not isinstance(row.cells, str)]
    return select_devices_by_serial(conn, [serial for serial in serials if "\x00" not in serial])


def _import_row(
    conn: WriteConnection,
    path: Path,
    row: Row,
    known: dict[str, Device],
    result: DeviceImport,
    at: datetime,
    assign: Assign,
) -> None:
    try:
        cells = text_cells(row, COLUMNS)
        before = known.get(cells["serial"])
        if before is None:
            device = _register(conn, cells, at)
            known[device.serial] = device
            result.registered += 1
        else:
            after = _update(conn, before, cells, result.ignored, at, assign)
            known[before.serial] = after
            result.unchanged += after == before
            result.updated += after != before
    except MillpondError as error:
        result.faults.append(f"{path}:{row.number}: {error}")


def _register(conn: WriteConnection, cells: dict[str, str], at: datetime) -> Device:
    # A savepoint: a device that is refused must not leave its customer behind.
    with conn.transaction():
        key = cells["customer"]
        return register_device(
            conn,
            serial=cells["serial"],
            model=cells["model"],
            region=cells["region"],
            customer_id=find_or_register_customer(conn, key, at=at).customer_id if key else None,
            installed_at=_parse_installed_at(cells["installed_at"], at),
            at=at,
        )


def _update(
    conn: WriteConnection, device: Device, cells: dict[str, str], ignored: Counter[str], at: datetime, assign: Assign
) -> Device:
    """The device after the row; raises Conflict for another model, since its parts and readings hang on that."""
    if device.model != cells["model"]:
        raise Conflict(f"serial {device.serial} is registered as a {device.model}, not as a {cells['model']}")
    ignored["dates of installation"] += _parse_installed_at(cells["installed_at"], at) != device.installed_at
    with conn.transaction():
        if key := cells["customer"]:
            device = _assign(conn, device, key, ignored, at, assign)
        if cells["region"] and cells["region"] != device.region:
            return move_device(conn, device, region=cells["region"], installed_at=device.installed_at, at=at)
    return device


def _assign(
    conn: WriteConnection, device: Device, key: str, ignored: Counter[str], at: datetime, assign: Assign
) -> Device:
    # One that was given up or sold is whoever's claims it next: a file of before knows nothing of that.
    if device.customer_id is None and not select_owners(conn, device.device_id):
        customer = find_or_register_customer(conn, key, at=at)
        return assign(conn, device.serial, customer.customer_id, at=at, actor="operator:import")
    owner = select_customer_by_key(conn, key)
    ignored["owners"] += owner is None or owner.customer_id != device.customer_id
    return device


def _write_claim_codes(conn: WriteConnection, path: Path, devices: Sequence[Device], at: datetime) -> int:
    """Issue and write down the codes that are missing. Written before they are committed, so that none is lost."""
    labelled = select_labelled(conn, [device.device_id for device in devices])
    waiting = [each for each in devices if each.customer_id is None and each.device_id not in labelled]
    with path.open("a", encoding="utf-8") as file:
        if file.tell() == 0:
            file.write("serial,claim_code\n")
        for device in waiting:
            code = issue_claim_code(conn, device, ClaimKind.LABEL, at=at, issued_by="operator:import")
            file.write(f"{device.serial},{code}\n")
    return len(waiting)


def _parse_installed_at(text: str, at: datetime) -> datetime:
    """RFC 3339 with an offset; a date alone is its midnight UTC, or `at` where that day has only begun elsewhere."""
    try:
        if len(text) == len("2026-03-01"):
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return at if timedelta() < day - at < _AHEAD_OF_UTC else day
        moment = parse_ts(text)
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidInput(f"installed_at {text[:40]!r} is not a date, nor a time with its offset from UTC")
    return moment
