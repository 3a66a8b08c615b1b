"""The plugin's own topic: commands in, answers out, as many at once as the broker takes without making others wait."""

import json
import secrets
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from millpond.kernel.broker import BrokerAddress
from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable
from outward.access.nouns import DEFAULTS
from outward.connection import BrokerLink

_TOPIC = "$CONTROL/dynamic-security/v1"
_PAGE = 500
_AT_ONCE_MAX, _FIRST, _BYTES = 100, 1, 50_000
# The plugin writes its whole file after each command, and meanwhile the broker does nothing else.
_LONGEST_S = 0.1
# Somebody else was there first, which is as good.
_AS_GOOD = {"Client already exists", "Role already exists", "Client not found", "Role not found"}

Command = dict[str, Any]


class Control:
    """A conversation with the plugin."""

    def __init__(self, link: BrokerLink) -> None:
        self._link = link
        self._at_once = _FIRST
        self._rest = threading.Event()

    def require_connection(self) -> None:
        """Raise Unavailable when the broker is not there any more."""
        self._link.require_connection()

    def ask(self, command: Command) -> dict[str, Any]:
        """The `data` that one command is answered with; empty when what it asks for is not there."""
        data: dict[str, Any] = self._say([command])[0].get("data", {})
        return data

    def run(self, commands: Sequence[Command]) -> None:
        """Run commands in order. Raises Unavailable with the plugin's words when it refuses one.

        A message has as many as the broker does in a tenth of a second, and then it is left alone for as long.
        """
        left = deque(commands)
        while left:
            some = self._take(left)
            began = monotonic()
            self._say(some)
            took = max(monotonic() - began, 0.001)
            self._at_once = max(1, min(_AT_ONCE_MAX, int(self._at_once * 2 * _LONGEST_S / (took + _LONGEST_S))))
            if left:
                self._rest.wait(took)

    def _take(self, left: deque[Command]) -> list[Command]:
        """The next few, not more than a message may have."""
        some, size = [left.popleft()], 0
        while left and len(some) < self._at_once and size < _BYTES:
            size += len(json.dumps(some[-1]))
            some.append(left.popleft())
        return some

    def users(self) -> Iterator[dict[str, Any]]:
        """All users with what is kept of them, but for their passwords."""
        yield from self._pages("listClients", "clients", verbose=True)

    def roles(self) -> Iterator[str]:
        """The names of all roles."""
        yield from self._pages("listRoles", "roles", verbose=False)

    def user(self, username: str) -> dict[str, Any] | None:
        """One user; None when there is none of that name."""
        user: dict[str, Any] | None = self.ask({"command": "getClient", "username": username}).get("client")
        return user

    def defaults(self) -> dict[str, bool]:
        """What is allowed where no rule says anything."""
        return {each["acltype"]: each["allow"] for each in self.ask({"command": "getDefaultACLAccess"})["acls"]}

    def deny_by_default(self) -> None:
        """Let nobody do what no rule allows."""
        acls = [{"acltype": kind, "allow": allow} for kind, allow in DEFAULTS.items()]
        self.run([{"command": "setDefaultACLAccess", "acls": acls}])

    def _pages(self, command: str, key: str, *, verbose: bool) -> Iterator[Any]:
        offset = 0
        while True:
            page = self.ask({"command": command, "verbose": verbose, "count": _PAGE, "offset": offset})
            yield from page[key]
            offset += len(page[key])
            if len(page[key]) < _PAGE:
                return

    def _say(self, commands: Sequence[Command]) -> list[dict[str, Any]]:
        token = secrets.token_hex(8)
        spelt = [command | {"correlationData": token} for command in commands]
        self._link.publish([(_TOPIC, json.dumps({"commands": spelt}).encode())])
        while True:
            answers: list[dict[str, Any]] = json.loads(self._link.next_message())["responses"]
            if answers and answers[0].get("correlationData") == token:
                for answer in answers:
                    _require_done(answer)
                return answers


def _require_done(answer: dict[str, Any]) -> None:
    error = answer.get("error")
    if error is not None and error not in _AS_GOOD:
        raise Unavailable(f"the broker's plugin refused {answer.get('command')}: {error}")


@contextmanager
def control_of(address: BrokerAddress, patience_s: float = 15) -> Iterator[Control]:
    """A conversation with the plugin of the broker at this address, whose user may speak with it.

    Raises Unavailable when the broker does not answer, has no such plugin, or does not let this user.
    """
    with BrokerLink(address, "millpond-access", subscriptions=[f"{_TOPIC}/response"], patience_s=patience_s) as link:
        control = Control(link)
        try:
            control.defaults()
        except Unavailable as error:
            what = f"{error}: is mosquitto_dynamic_security loaded there, and may {address.username} keep it?"
            raise Unavailable(what) from error
        yield control
