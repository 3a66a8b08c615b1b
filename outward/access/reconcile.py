"""The broker's users are brought to what is wanted: who is right already is left alone and stays connected."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outward.access.control import Command, Control
from outward.access.nouns import DEFAULTS, Role, User, is_ours
from outward.access.wanted import MARK, Wanted


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done so that the broker is as it should be."""

    remove_users: list[str]
    add_roles: list[Role]
    add_users: list[User]
    remove_roles: list[str]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.remove_users) + len(self.add_roles) + len(self.add_users) + len(self.remove_roles)

    def commands(self) -> list[Command]:
        """As the plugin spells them. Who goes goes first; a role is there before its user, and goes after it."""
        return [
            *({"command": "deleteClient", "username": name} for name in self.remove_users),
            *({"command": "createRole"} | role.spelt() for role in self.add_roles),
            *({"command": "createClient"} | user.spelt() for user in self.add_users),
            *({"command": "deleteRole", "rolename": name} for name in self.remove_roles),
        ]


def reconcile(control: Control, wanted: Wanted) -> Changes:
    """Bring the broker to what is wanted; safe to repeat, and to stop at any time. Returns what was changed."""
    if wanted.names is None and control.defaults() != DEFAULTS:
        control.deny_by_default()
    changes = find_changes(control, wanted)
    control.run(changes.commands())
    return changes


def find_changes(control: Control, wanted: Wanted) -> Changes:
    """What the broker's users differ in from what is wanted. Users that others made are left alone."""
    if wanted.names is None:
        marks, roles = _marks(control.users()), set(control.roles())
        mine = {name for name, mark in marks.items() if mark.startswith(MARK)}
    else:
        marks = _marks(user for name in sorted(wanted.names) if (user := control.user(name)) is not None)
        # Whether a role of these is there, nobody asked: making or deleting it says so.
        roles, mine = set(wanted.roles), set(marks)
    stay = {name for name, user in wanted.users.items() if marks.get(name) == user.mark}
    add = [user for name, user in wanted.users.items() if name not in stay]
    needed = {user.role.name: user.role for user in wanted.users.values()}
    made = {user.role.name for user in add} if wanted.names is not None else needed.keys() - roles
    return Changes(
        sorted((mine | wanted.users.keys()) & marks.keys() - stay),
        [needed[name] for name in sorted(made)],
        add,
        sorted(name for name in roles - needed.keys() if is_ours(name)),
    )


def _marks(users: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {user["username"]: user.get("textname", "") for user in users}
