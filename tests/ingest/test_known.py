"""What ingest remembers from batch to batch is never older than what was committed before the batch."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Never

import pytest

from devices.profile import shipped_profiles
from devices.registry import register_device, register_model
from devices.store import select_devices_by_serial, select_registry_changes
from ingest.plain import KnownDevice
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.known import Known
from millpond.kernel.db import WriteConnection, connect
from tests.ingest.test_decode import LIMITS, NOW
from tests.ingest.test_plain import delivery, sample

MODEL = "reed-air-2"


@pytest.fixture
def own(database: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction: what is remembered changes with a commit."""
    with connect(database) as conn:
        yield conn


def register(conn: WriteConnection, serial: str) -> int:
    installed_at = NOW - timedelta(days=9)
    return register_device(conn, serial=serial, model=MODEL, installed_at=installed_at, at=NOW).device_id


class Ingest:
    """Stores one message after the other, and remembers what it knows."""

    def __init__(self, conn: WriteConnection) -> None:
        self.conn, self.known, self.seq = conn, Known(), 0

    def store(self, serial: str, **metrics: Any) -> StoredBatch:
        self.seq += 1
        one = delivery(sample(self.seq, **metrics), serial=serial)
        return store_batch(self.conn, [one], LIMITS, consumer="t", at=NOW, known=self.known)


def test_a_device_is_known_in_the_batch_after_it_was_registered(own: WriteConnection) -> None:
    ingest = Ingest(own)
    assert ingest.store("AIR-1").tally.quarantined == 1
    register(own, "AIR-1")
    assert ingest.store("AIR-1").tally.stored == 1
    assert ingest.known.devices.keys() == {"AIR-1"}


class LookedUpOnly(dict[str, KnownDevice]):
    """Devices by serial; going through all of them is an error."""

    def keys(self) -> Never:
        raise AssertionError("all devices are gone through for the sake of a few")

    __iter__ = items = values = keys


def test_a_batch_does_not_go_through_all_devices_that_are_known(own: WriteConnection) -> None:
    ingest = Ingest(own)
    register(own, "AIR-1")
    ingest.store("AIR-1")
    ingest.known.devices = LookedUpOnly(ingest.known.devices)
    register(own, "AIR-2")
    assert ingest.store("AIR-2").tally.stored == 1
    assert len(ingest.known.devices) == 2


def test_a_device_that_was_removed_is_unknown_and_a_new_one_of_its_serial_another(own: WriteConnection) -> None:
    ingest, first = Ingest(own), register(own, "AIR-1")
    ingest.store("AIR-1")
    own.execute("delete from installation")
    own.execute("delete from device")
    assert ingest.store("AIR-1").tally.quarantined == 1
    second = register(own, "AIR-1")
    assert second != first
    ingest.store("AIR-1", power=True)
    assert own.execute("select device_id, value from reading order by 1").fetchall() == [(first, 64.5), (second, 1)]


def test_a_device_that_becomes_one_of_another_model_is_read_as_that(own: WriteConnection) -> None:
    ingest = Ingest(own)
    register(own, "AIR-1")
    assert ingest.store("AIR-1", pm25_ugm3=5).tally.stored == 1
    own.execute("update device set model = 'reed-vac-s'")
    assert ingest.store("AIR-1", pm25_ugm3=5).tally.quarantined == 1


def test_a_profile_that_is_mended_holds_from_the_next_batch(own: WriteConnection) -> None:
    ingest, profile = Ingest(own), shipped_profiles()[MODEL]
    register(own, "AIR-1")
    assert ingest.store("AIR-1", pm25_ugm3=50).tally.stored == 1
    stricter = profile.metrics["pm25_ugm3"].model_copy(update={"max": 40})
    register_model(own, profile.model_copy(update={"metrics": profile.metrics | {"pm25_ugm3": stricter}}))
    assert ingest.store("AIR-1", pm25_ugm3=50).tally.quarantined == 1
    renamed = profile.metrics | {"pm25_new_ugm3": stricter}
    register_model(own, profile.model_copy(update={"metrics": renamed}))
    assert ingest.store("AIR-1", pm25_new_ugm3=30).tally.stored == 1


def test_what_changes_nothing_that_is_remembered_is_not_looked_up_again(own: WriteConnection) -> None:
    ingest = Ingest(own)
    register(own, "AIR-1")
    ingest.store("AIR-1")
    shapes, changes = ingest.known.shapes, select_registry_changes(own)
    register_model(own, shipped_profiles()[MODEL])
    register(own, "AIR-2")
    own.execute("update device set region = 'seoul'")
    assert ingest.store("AIR-2").tally.stored == 1
    assert (ingest.known.shapes, select_registry_changes(own)) == (shapes, changes)
    assert select_devices_by_serial(own, ["AIR-2"]).keys() == ingest.known.devices.keys() - {"AIR-1"}


def test_on_another_connection_nothing_is_known(own: WriteConnection, database: str) -> None:
    ingest = Ingest(own)
    register(own, "AIR-1")
    ingest.store("AIR-1")
    with connect(database) as other:
        ingest.known.renew(other)
        assert ingest.known.devices == {}
        assert MODEL in ingest.known.metrics
