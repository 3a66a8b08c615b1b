"""What ingest remembers of the registry from batch to batch: devices that it saw, what models measure and say."""

from collections.abc import Iterable, Mapping

from devices.nouns import Meaning, Metric
from devices.store import select_known_devices, select_metrics, select_registry_changes, select_speaks
from ingest.formats.shapes import Shapes
from ingest.plain import KnownDevice
from millpond.kernel.db import ReadConnection

# About 200 bytes each.
_DEVICES_REMEMBERED = 250_000


class Known:
    """Remembers what is there; what is not there is looked up again each time, so a new device is known at once.

    Whatever changes something that is remembered, or takes it away, counts up `registry_changes` in its own commit.
    Then all is forgotten, as it is on another connection, which may lead to another database.
    """

    def __init__(self) -> None:
        self._conn: ReadConnection | None = None
        self._changes = -1
        self.devices: dict[str, KnownDevice] = {}
        self.metrics: Mapping[str, Mapping[str, Metric]] = {}
        self.speaks: Mapping[str, Mapping[str, Mapping[str, Meaning]]] = {}
        self.shapes = Shapes({})

    def renew(self, conn: ReadConnection) -> None:
        """Forget what may have changed, and load what models measure and say."""
        changes = select_registry_changes(conn)
        if conn is self._conn and changes == self._changes:
            return
        self.devices.clear()
        self.metrics, self.speaks = select_metrics(conn), select_speaks(conn)
        self.shapes = Shapes(self.metrics)
        # Last, so that a failure leaves nothing half known.
        self._conn, self._changes = conn, changes

    def look_up(self, conn: ReadConnection, serials: Iterable[str]) -> None:
        """Have the devices among these serials in `devices`."""
        wanted = set(serials)
        if len(self.devices) > _DEVICES_REMEMBERED:
            self.devices.clear()
        # Not as a difference of sets, which would go through all devices that are known.
        unknown = sorted(serial for serial in wanted if serial not in self.devices)
        if not unknown:
            return
        models = {model: model for model in self.metrics}
        for serial, device_id, model in select_known_devices(conn, unknown):
            # One text for all devices of a model.
            self.devices[serial] = KnownDevice(device_id, models.get(model, model))
