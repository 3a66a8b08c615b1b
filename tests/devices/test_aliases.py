"""What hubs and makers call a device."""

from datetime import UTC, datetime

import pytest

from devices.aliases import alias_device, select_devices_by_alias
from devices.nouns import Device
from devices.registry import register_device
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import DeviceId

AT = datetime(2026, 2, 1, tzinfo=UTC)


def register(conn: WriteConnection, serial: str) -> Device:
    return register_device(conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)


def alias(conn: WriteConnection, device_id: int, external_id: str, format_name: str = "hub") -> None:
    alias_device(conn, DeviceId(device_id), format_name=format_name, external_id=external_id, at=AT)


def test_a_device_may_have_many_names_and_a_name_one_device_of_each_format(conn: WriteConnection) -> None:
    one, other = register(conn, "A"), register(conn, "B")
    for name in ("0xA1", "거실 공기청정기"):
        alias(conn, one.device_id, name)
    alias(conn, other.device_id, "0xA1", "maker")
    names = ["0xA1", "거실 공기청정기", "nobody"]
    assert select_devices_by_alias(conn, "hub", names) == {"0xA1": one, "거실 공기청정기": one}
    assert select_devices_by_alias(conn, "maker", names) == {"0xA1": other}


def test_a_name_given_twice_is_given_once(conn: WriteConnection) -> None:
    device = register(conn, "A")
    alias(conn, device.device_id, "0xA1")
    alias(conn, device.device_id, "0xA1")
    assert conn.execute("select count(*) from device_alias").fetchone() == (1,)


def test_a_name_that_is_another_devices_stays_its_own(conn: WriteConnection) -> None:
    one, other = register(conn, "A"), register(conn, "B")
    alias(conn, one.device_id, "0xA1")
    with pytest.raises(Conflict, match="hub '0xA1' is what A is called already: give each device"):
        alias(conn, other.device_id, "0xA1")
    assert select_devices_by_alias(conn, "hub", ["0xA1"]) == {"0xA1": one}


@pytest.mark.parametrize("name", ["", "x" * 257, "a\x00b", "\ud800"])
def test_what_can_be_no_name_is_refused(conn: WriteConnection, name: str) -> None:
    with pytest.raises(InvalidInput, match="external id"):
        alias(conn, register(conn, "A").device_id, name)


@pytest.mark.parametrize("format_name", ["", "Hub", "a/b"])
def test_what_can_be_no_format_is_refused(conn: WriteConnection, format_name: str) -> None:
    with pytest.raises(InvalidInput, match="format"):
        alias(conn, register(conn, "A").device_id, "0xA1", format_name)


def test_a_device_that_is_not_there_gets_no_name(conn: WriteConnection) -> None:
    with pytest.raises(NotFound, match="there is no device 999"):
        alias(conn, 999, "0xA1")
