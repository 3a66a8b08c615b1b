"""A file of devices into the registry: each row stands or falls alone, and a second run changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attribution.people import find_or_register_customer
from devices.nouns import Device
from devices.registry import register_device
from devices.store import select_devices_by_serial
from devices.wire import parse_ts
from ingest.rows import Row, read_chunks
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, MillpondError

COLUMNS = ("serial", "model", "region", "customer", "installed_at")
_CHUNK_ROWS = 500


@dataclass(slots=True)
class DeviceImport:
    """What became of the rows; `faults` are sentences that begin with `FILE:LINE:`."""

    registered: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)


def import_devices(
    conn: WriteConnection,
    path: Path,
    *,
    at: datetime,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> DeviceImport:
    """Register the devices of a CSV file, one transaction a chunk; a customer is created when the key is new.

    A device that is there with the same model is left as it is. Raises InvalidInput for a file without the columns.
    """
    result = DeviceImport()
    for chunk in read_chunks(path, COLUMNS, _CHUNK_ROWS):
        with conn.transaction():
            known = _select_known(conn, chunk.rows)
            for row in chunk.rows:
                _import_row(conn, path, row, known, result, at)
        on_progress(chunk.done, chunk.of)
    return result


def _select_known(conn: WriteConnection, rows: Sequence[Row]) -> dict[str, Device]:
    serials = [str(row.cells[0]) for row in rows if not isinstance(row.cells, str)]
    return select_devices_by_serial(conn, [serial for serial in serials if "\x00" not in serial])


def _import_row(
    conn: WriteConnection, path: Path, row: Row, known: dict[str, Device], result: DeviceImport, at: datetime
) -> None:
    try:
        cells = _check_cells(row)
        before = known.get(cells["serial"])
        if before is None:
            device = _register(conn, cells, at)
            known[device.serial] = device
            result.registered += 1
        elif before.model == cells["model"]:
            result.unchanged += 1
        else:
            raise Conflict(f"serial {before.serial} is registered as a {before.model}, not as a {cells['model']}")
    except MillpondError as error:
        result.faults.append(f"{path}:{row.number}: {error}")


def _check_cells(row: Row) -> dict[str, str]:
    if isinstance(row.cells, str):
        raise InvalidInput(row.cells)
    if any("\x00" in str(cell) for cell in row.cells):
        raise InvalidInput("the line has a NUL character")
    return dict(zip(COLUMNS, (_to_text(cell).strip() for cell in row.cells), strict=True))


def _to_text(cell: Any) -> str:
    """A Parquet file may have times and nulls where CSV has text."""
    return "" if cell is None else cell.isoformat() if isinstance(cell, datetime) else str(cell)


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
            installed_at=_parse_installed_at(cells["installed_at"]),
            at=at,
        )


def _parse_installed_at(text: str) -> datetime:
    """RFC 3339 with an offset; a date alone is its midnight UTC."""
    try:
        if len(text) == len("2026-03-01"):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        moment = parse_ts(text)
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidInput(f"installed_at {text[:40]!r} is not a date, nor a time with its offset from UTC")
    return moment
