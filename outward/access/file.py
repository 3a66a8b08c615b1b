"""The plugin's file, written whole: the way to give a new broker, or one that lost its file, 100,000 users at once."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from millpond.kernel.broker import BrokerAddress
from millpond.kernel.errors import ConfigurationError
from outward.access.nouns import DEFAULTS, Role, User, admin_role

# The plugin's own; more would make each sign-in dearer, and our passwords have 256 random bits.
_ITERATIONS, _SALT_BYTES = 101, 12


def write_access_file(path: Path, users: Iterable[User], admin: BrokerAddress) -> int:
    """Write the file that `plugin_opt_config_file` names; returns how many users it has, beside the admin.

    Raises ConfigurationError when the admin has no name and password, or one that another user has too.
    """
    known = {user.username: user for user in users}
    if not admin.username or not admin.password:
        raise ConfigurationError(
            "MILLPOND_BROKER_ADMIN_URL has no name or no password: write mqtt://admin:password@host"
        )
    if admin.username in known:
        raise ConfigurationError(f"MILLPOND_BROKER_ADMIN_URL names {admin.username}, who is another user: take a name")
    roles: dict[str, Role] = {user.role.name: user.role for user in known.values()}
    keeper = User(admin.username, None, admin.password, admin_role(), "keeps the users")
    content = {
        "defaultACLAccess": DEFAULTS,
        "clients": [_spelt(user) for user in (keeper, *known.values())],
        "groups": [],
        "roles": [role.spelt() for role in (admin_role(), *roles.values())],
    }
    _write(path, json.dumps(content, separators=(",", ":")))
    return len(known)


def _spelt(user: User) -> dict[str, Any]:
    spelt = user.spelt()
    password = spelt.pop("password", None)
    return spelt if password is None else spelt | _hashed(password)


def _hashed(password: str) -> dict[str, Any]:
    salt = secrets.token_bytes(_SALT_BYTES)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    coded = {"password": made, "salt": salt}
    return {name: base64.b64encode(raw).decode() for name, raw in coded.items()} | {"iterations": _ITERATIONS}


def _write(path: Path, text: str) -> None:
    """All of it or nothing; readable by its owner alone."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
