"""What formats that do not know our serials call a device: a hub's name for it, or a maker's id.

Ingest reads this to know whose a message is. Whoever registers a device that speaks through a hub adds its alias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from psycopg.rows import class_row

from devices.nouns import Device
from devices.store import select_devices_by_serial
from devices.wire import is_text
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import DeviceId

_Q = load_queries("devices")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Alias:
    """What a format calls a device, and since when."""

    format: str
    external_id: str
    aliased_at: datetime


def alias_device(
    conn: WriteConnection, device_id: DeviceId, *, format_name: str, external_id: str, at: datetime
) -> None:
    """Let messages of a format that speak of `external_id` be this device's; safe to repeat.

    What came under that name before waits in the lobby, and ingest stores it soon. Raises Conflict when the name is
    that of another device, InvalidInput when it is none, NotFound when there is no such device.
    """
    if "\x00" in external_id or not is_text(external_id):
        raise InvalidInput(f"external id {external_id[:_SHOWN]!r} is not text without NUL")
    values = {"format": format_name, "external_id": external_id, "device_id": device_id, "at": at}
    with refusing(conn, _alias_refusals(device_id, format_name, external_id)):
        conn.execute(_Q["insert_alias"], values)
        holder = select_devices_by_alias(conn, format_name, [external_id])[external_id]
        if holder.device_id != device_id:
            shown = f"{format_name} {external_id[:_SHOWN]!r}"
            raise Conflict(f"{shown} is what {holder.serial} is called already: give each device the name its hub uses")


def select_devices_by_alias(conn: ReadConnection, format_name: str, external_ids: Sequence[str]) -> dict[str, Device]:
    """Those of `external_ids` that stand for a device in a format, with that device."""
    values = {"format": format_name, "external_ids": list(external_ids)}
    serials: dict[str, str] = dict(conn.execute(_Q["select_aliases"], values).fetchall())
    devices = select_devices_by_serial(conn, sorted(set(serials.values())))
    return {external_id: devices[serial] for external_id, serial in serials.items()}


def select_aliases_of_device(conn: ReadConnection, device_id: DeviceId) -> list[Alias]:
    """What formats call a device, by format."""
    with conn.cursor(row_factory=class_row(Alias)) as cursor:
        return cursor.execute(_Q["select_aliases_of_device"], {"device_id": device_id}).fetchall()


def end_alias(conn: WriteConnection, device: Device, *, format_name: str, external_id: str) -> None:
    """What a format calls so is this device no longer: its messages wait in the lobby. Raises NotFound."""
    values = {"format": format_name, "external_id": external_id, "device_id": device.device_id}
    if not conn.execute(_Q["delete_alias"], values).rowcount:
        raise NotFound(f"{format_name[:_SHOWN]} {external_id[:_SHOWN]!r} is no name of {device.serial}")


def _alias_refusals(device_id: DeviceId, format_name: str, external_id: str) -> Refusals:
    long = f"external id {external_id[:_SHOWN]!r} has {len(external_id):,} characters, it can have 1 to 256"
    unfit = f"format {format_name[:_SHOWN]!r} is not 1 to 64 small letters, digits, dots, dashes or underscores"
    return {
        "device_alias_is_of_a_device": partial(NotFound, f"there is no device {device_id}"),
        "device_alias_fits": partial(InvalidInput, long),
        "device_alias_says_its_format": partial(InvalidInput, unfit),
    }
