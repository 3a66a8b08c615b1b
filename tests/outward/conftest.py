"""A mosquitto with the dynamic security plugin, kept by us; and two devices with a credential each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from devices.credentials.issuing import issue_credential
from devices.credentials.nouns import IssuedCredential
from devices.nouns import Device
from devices.registry import register_device
from devices.store import read_device
from millpond.embedded.broker import Broker, dynamic_security
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import Settings, load_settings
from outward.access.control import control_of
from outward.access.keeping import ours_of, sync_access, write_file
from outward.access.reconcile import Changes
from tests.outward.clients import Client

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMIT_BYTES = 65_536


@dataclass
class Guarded:
    """A broker whose users are the database's."""

    broker: Broker
    conn: WriteConnection
    settings: Settings

    def issue(self, serial: str, life: timedelta | None = None, at: datetime = AT) -> IssuedCredential:
        """One more credential of a device, which is registered for it."""
        return issue_credential(
            self.conn, self.settings.device_keys(), self.device(serial), at=at, by="operator:o", life=life
        )

    def device(self, serial: str) -> Device:
        known = self.conn.execute("select 1 from device where serial = %s", [serial]).fetchone()
        if known is None:
            register_device(self.conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)
        return read_device(self.conn, serial)

    def sync(self, at: datetime = AT, device_ids: Sequence[int] | None = None) -> Changes:
        with control_of(ours_of(self.settings).admin) as control:
            return sync_access(self.conn, control, self.settings, at, device_ids)

    def client(self, issued: IssuedCredential, client_id: str | None = None, **made: Any) -> Client:
        """A client that signs in with a credential, under its own serial if nothing else is said."""
        return Client(self.broker.port, client_id or issued.serial, issued.username, issued.password, **made)

    def services(self) -> Client:
        """A client with the account of our own services."""
        return Client(self.broker.port, "observer", "millpond", "of our own services")


@pytest.fixture
def listener() -> dict[str, object]:
    """Settings of one more listener of the broker; a file of tests may give some."""
    return {}


@pytest.fixture
def guarded(database: str, tmp_path: Path, listener: dict[str, object]) -> Iterator[Guarded]:
    """A broker that was started with the file that we write for an empty database."""
    file = tmp_path / "access.json"
    broker = Broker(tmp_path, conf=dynamic_security(file) | {"message_size_limit": LIMIT_BYTES} | listener)
    settings = load_settings(
        database_url=database,
        broker_url=f"mqtt://millpond:of%20our%20own%20services@127.0.0.1:{broker.port}",
        broker_admin_url=f"mqtt://keeper:of%20the%20users@127.0.0.1:{broker.port}",
        device_secret=SecretStr("9d1c7be0a24f4c55b1a8e6f30d7729ce4b5a"),
    )
    with connect(database) as conn:
        write_file(conn, settings, file, AT)
        with broker:
            yield Guarded(broker, conn, settings)


@pytest.fixture
def air(guarded: Guarded) -> IssuedCredential:
    """What the device AIR-1 signs in with; AIR-2 has a credential, too."""
    guarded.issue("AIR-2")
    issued = guarded.issue("AIR-1")
    guarded.sync()
    return issued
