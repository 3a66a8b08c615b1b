"""A device's first contact: what it has on its label, or was given on its line, becomes a credential of its own."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from psycopg.rows import scalar_row

from devices.credentials.issuing import end_credentials, issue_credential, select_credentials, select_provisioned
from devices.credentials.nouns import EndedBecause, IssuedCredential
from devices.nouns import Device
from devices.owners import claim_code_digest
from devices.store import read_device, select_devices_by_serial
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.device_keys import DeviceKeys
from millpond.kernel.errors import NotFound
from millpond.kernel.table_file import read_chunks, text_cells

_Q = load_queries("devices.credentials")
_CHUNK_ROWS = 500
HEADER = "serial,username,password,expires_at"
REFUSED = "nothing is given for this: look at the serial, and at what proves that it is yours"
PROVISION_LIFE = timedelta(days=365)


def provision_by_code(
    conn: WriteConnection, keys: DeviceKeys, serial: str, code: str, *, at: datetime
) -> IssuedCredential:
    """The credential of a device that has its code, which is spent. Raises NotFound for any other code or serial."""
    values = {"serial": serial, "code_sha256": claim_code_digest(serial, code), "at": at}
    with conn.cursor(row_factory=scalar_row) as cursor:
        spent = cursor.execute(_Q["spend_provision_code"], values).fetchone()
    if spent is None:
        raise NotFound(REFUSED)
    return renew_credential(conn, keys, read_device(conn, serial), at=at)


def renew_credential(conn: WriteConnection, keys: DeviceKeys, device: Device, *, at: datetime) -> IssuedCredential:
    """One more for a device that proved itself; where it has two, the older one ends, since it has it no more."""
    good = [each for each in select_credentials(conn, device.device_id) if each.ended_at is None]
    by = f"device:{device.serial}"
    if len(good) == 2:
        oldest = min(good, key=lambda each: each.issued_at)
        end_credentials(conn, device, at=at, by=by, because=EndedBecause.REPLACED, slot=oldest.slot)
    return issue_credential(conn, keys, device, at=at, by=by)


def provision_devices(
    conn: WriteConnection,
    keys: DeviceKeys,
    devices: Iterable[Device],
    output: Path,
    *,
    at: datetime,
    by: str,
    life: timedelta | None = None,
) -> int:
    """Issue and write down a credential for each device that has none; returns how many.

    Written before they are committed, so that none is lost: one without its commit is good for nothing.
    """
    each_device = list(devices)
    provisioned = select_provisioned(conn, [device.device_id for device in each_device])
    waiting = [device for device in each_device if device.device_id not in provisioned]
    with output.open("a", encoding="utf-8") as file:
        if file.tell() == 0:
            file.write(f"{HEADER}\n")
        for device in waiting:
            issued = issue_credential(conn, keys, device, at=at, by=by, life=life)
            expires = issued.expires_at.isoformat() if issued.expires_at else ""
            file.write(f"{issued.serial},{issued.username},{issued.password},{expires}\n")
    return len(waiting)


def provision_file(
    conn: WriteConnection, keys: DeviceKeys, path: Path, output: Path, *, at: datetime, by: str, life: timedelta | None
) -> tuple[int, int, list[str]]:
    """Provision the devices of a CSV file with a column `serial`, one transaction a chunk.

    Returns how many were provisioned, how many had a credential, and a sentence for each row that was not understood.
    """
    made, had, faults = 0, 0, list[str]()
    for chunk in read_chunks(path, ("serial",), _CHUNK_ROWS):
        good = [row for row in chunk.rows if not isinstance(row.cells, str)]
        named = {text_cells(row, ("serial",))["serial"]: row.number for row in good}
        faults += [f"{path}:{row.number}: {row.cells}" for row in chunk.rows if isinstance(row.cells, str)]
        with conn.transaction():
            known = select_devices_by_serial(conn, [serial for serial in named if "\x00" not in serial])
            issued = provision_devices(
                conn, keys, [known[serial] for serial in named if serial in known], output, at=at, by=by, life=life
            )
        faults += [
            f"{path}:{named[serial]}: {serial[:80]} is not registered" for serial in named if serial not in known
        ]
        made, had = made + issued, had + len(known) - issued
    return made, had, faults
