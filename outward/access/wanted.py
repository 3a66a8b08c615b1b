"""The users that the broker should have, as the database and the settings say."""

import hashlib
import hmac
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from devices.credentials.hubs import hub_password, hub_username, select_hub_accounts
from devices.credentials.issuing import access_password, select_access, select_serials
from devices.credentials.nouns import device_username
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.db import ReadConnection
from millpond.kernel.device_keys import DeviceKeys
from outward.access.nouns import Role, User, device_role, hub_role, services_role

_LOG = logging.getLogger(__name__)
_EVENT = {"event": "access_name_taken"}
MARK = "millpond:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the broker should have of some names: `users`, and nobody else of `names` (None: of all names of ours)."""

    users: dict[str, User]
    names: frozenset[str] | None = None
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ours:
    """Where our services and who keeps the plugin sign in: their names are no device's."""

    services: BrokerAddress
    admin: BrokerAddress

    @property
    def names(self) -> set[str]:
        """The names of both."""
        return {name for name in (self.services.username, self.admin.username) if name}


def all_wanted(conn: ReadConnection, keys: DeviceKeys, ours: Ours, at: datetime) -> Wanted:
    """All users: devices, hubs, and our own services with the password of their address."""
    users = [*_devices(conn, keys, ours, at), *_hubs(conn, keys), *_services(keys, ours)]
    return Wanted({user.username: user for user in users})


def wanted_of_devices(
    conn: ReadConnection, keys: DeviceKeys, ours: Ours, device_ids: Collection[int], at: datetime
) -> Wanted:
    """The users of these devices."""
    serials = [serial for serial in select_serials(conn, device_ids) if serial not in ours.names]
    names = frozenset(device_username(serial, slot) for serial in serials for slot in (1, 2))
    roles = frozenset(device_role(serial).name for serial in serials)
    return Wanted({user.username: user for user in _devices(conn, keys, ours, at, device_ids)}, names, roles)


def _devices(
    conn: ReadConnection, keys: DeviceKeys, ours: Ours, at: datetime, device_ids: Collection[int] | None = None
) -> Iterator[User]:
    for access in select_access(conn, at, device_ids):
        if access.serial in ours.names:
            _LOG.error("device %s has the name of a user of ours: it gets no access", access.serial, extra=_EVENT)
            continue
        username, password = device_username(access.serial, access.slot), access_password(keys, access)
        yield _user(keys, username, access.serial, password, device_role(access.serial))


def _hubs(conn: ReadConnection, keys: DeviceKeys) -> Iterator[User]:
    for hub in select_hub_accounts(conn):
        name = hub_username(hub.name)
        yield _user(
            keys, name, name, hub_password(keys, hub.name, hub.key_id, hub.salt), hub_role(hub.name, hub.topics)
        )


def _services(keys: DeviceKeys, ours: Ours) -> Iterator[User]:
    address = ours.services
    if address.username and address.password:
        yield _user(keys, address.username, None, address.password, services_role())


def _user(keys: DeviceKeys, username: str, client_id: str | None, password: str | None, role: Role) -> User:
    said = "\n".join((username, client_id or "", password or "", role.name)).encode()
    mark = hmac.digest(keys.by_id[keys.current], b"millpond broker user\0" + said, hashlib.sha256).hex()[:16]
    return User(username, client_id, password, role, MARK + mark)
