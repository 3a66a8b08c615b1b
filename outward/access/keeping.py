"""The whole of it: what the settings and the database say, and the broker brought to it."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from devices.credentials.issuing import end_expired_credentials
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import Settings
from outward.access.control import Control
from outward.access.file import write_access_file
from outward.access.reconcile import Changes, reconcile
from outward.access.wanted import Ours, all_wanted, wanted_of_devices

# Above so many it is cheaper to look at all.
MOST_ONE_BY_ONE = 500


def ours_of(settings: Settings) -> Ours:
    """Our own users at the broker. Raises ConfigurationError unless both addresses are set."""
    settings.require("broker_url", "broker_admin_url")
    return Ours(settings.broker_address(), settings.broker_admin_address())


def sync_access(
    conn: WriteConnection, control: Control, settings: Settings, at: datetime, device_ids: Collection[int] | None = None
) -> Changes:
    """Bring the users of all devices, hubs and services, or those of some devices, to what the database says."""
    keys, ours = settings.device_keys(), ours_of(settings)
    end_expired_credentials(conn, at)
    if device_ids is None or len(device_ids) > MOST_ONE_BY_ONE:
        return reconcile(control, all_wanted(conn, keys, ours, at))
    return reconcile(control, wanted_of_devices(conn, keys, ours, device_ids, at))


def write_file(conn: WriteConnection, settings: Settings, path: Path, at: datetime) -> int:
    """Write the plugin's whole file for a broker that is not running; returns how many users it has."""
    ours = ours_of(settings)
    wanted = all_wanted(conn, settings.device_keys(), ours, at)
    return write_access_file(path, wanted.users.values(), ours.admin)
