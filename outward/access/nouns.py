"""Users and roles of the broker, as its dynamic security plugin knows them, and what each of ours may do."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from devices.wire import PREFIX

SEND, RECEIVE = "publishClientSend", "publishClientReceive"
SUBSCRIBE, SUBSCRIBE_EXACTLY = "subscribePattern", "subscribeLiteral"
# What the plugin does where no rule says anything. It lets everybody end their own subscriptions.
DEFAULTS = {SEND: False, RECEIVE: False, "subscribe": False, "unsubscribe": True}

_DEVICE_SAYS = ("telemetry", "backfill", "status", "events", "command/+/result", "raw/+")
_DEVICE_HEARS = ("ack", "command", "forecast")
# What is answered to devices, what is told to households, and questions to nodes of Sparkplug.
_SERVICES_SAY = (
    *(f"{PREFIX}/+/{channel}" for channel in _DEVICE_HEARS),
    "homeassistant/#",
    "spBv1.0/+/NCMD/#",
    "spBv1.0/+/DCMD/#",
)


class Rule(NamedTuple):
    """What one kind of act on topics is allowed or not; of two that apply the one of higher priority counts."""

    kind: str
    topic: str
    allow: bool = True
    priority: int = 0

    def spelt(self) -> dict[str, Any]:
        """As the plugin spells it."""
        return {"acltype": self.kind, "topic": self.topic, "priority": self.priority, "allow": self.allow}


@dataclass(frozen=True, slots=True)
class Role:
    """A set of rules. Its name says what they are, so a role under one name never changes."""

    name: str
    rules: Sequence[Rule]

    def spelt(self) -> dict[str, Any]:
        """As the plugin spells it."""
        return {"rolename": self.name, "acls": [rule.spelt() for rule in self.rules]}


@dataclass(frozen=True, slots=True)
class User:
    """Who signs in. `client_id` is the only one with which it may; None binds none. No password: by certificate.

    `mark` is kept at the broker beside it, and tells whether all of this is as it should be.
    """

    username: str
    client_id: str | None
    password: str | None
    role: Role
    mark: str

    def spelt(self) -> dict[str, Any]:
        """As the plugin spells it."""
        given = {"clientid": self.client_id, "password": self.password}
        plain = {"username": self.username, "textname": self.mark, "roles": [{"rolename": self.role.name}]}
        return plain | {name: value for name, value in given.items() if value is not None}


def device_role(serial: str) -> Role:
    """A device speaks and hears under its own serial, and nothing else."""
    own = f"{PREFIX}/{serial}"
    says = [Rule(SEND, f"{own}/{channel}") for channel in _DEVICE_SAYS]
    hears = [Rule(kind, f"{own}/{channel}") for channel in _DEVICE_HEARS for kind in (RECEIVE, SUBSCRIBE_EXACTLY)]
    # Said aloud: where the broker has an access file too, that would let everybody subscribe to anything.
    return _named(f"device/{serial}", [*says, *hears, Rule(SUBSCRIBE, "#", allow=False, priority=-1)])


def hub_role(name: str, topics: Sequence[str]) -> Role:
    """A hub reads and writes what is its own."""
    rules = [Rule(kind, topic) for topic in topics for kind in (SEND, RECEIVE, SUBSCRIBE)]
    return _named(f"hub/{name}", [*rules, Rule(SUBSCRIBE, "#", allow=False, priority=-1)])


def services_role() -> Role:
    """Our own services read what there is, and write what devices, hubs and households are told."""
    says = [Rule(SEND, topic) for topic in _SERVICES_SAY]
    return _named("millpond/services", [*says, Rule(RECEIVE, "#"), Rule(SUBSCRIBE, "#")])


def admin_role() -> Role:
    """Who keeps the plugin speaks with it alone."""
    control = "$CONTROL/dynamic-security/#"
    return Role("admin", [Rule(kind, control) for kind in (SEND, RECEIVE, SUBSCRIBE)])


def is_ours(role_name: str) -> bool:
    """Whether a role of that name was made by us."""
    return role_name.startswith(("device/", "hub/", "millpond/"))


def _named(name: str, rules: Sequence[Rule]) -> Role:
    digest = hashlib.sha256(json.dumps([rule.spelt() for rule in rules]).encode()).hexdigest()[:8]
    return Role(f"{name}@{digest}", rules)
