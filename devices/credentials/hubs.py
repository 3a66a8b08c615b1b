"""Accounts of hubs: they keep topics of their own, outside ours, and speak for the devices behind them."""

import re
import secrets
from datetime import datetime
from functools import partial

from psycopg.rows import class_row

from devices.credentials.nouns import HubAccount
from devices.wire import PREFIX
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.device_keys import DeviceKeys
from millpond.kernel.errors import Conflict, InvalidInput, NotFound

_Q = load_queries("devices.credentials")
_SALT_BYTES = 16
_OURS = PREFIX.partition("/")[0]
_FILTER = re.compile(r"[^+#/$][^+#]*(/(\+|[^+#/]*))*(/#)?")


def issue_hub_account(
    conn: WriteConnection, keys: DeviceKeys, name: str, topics: list[str], *, at: datetime, by: str
) -> str:
    """A user for a hub that reads and writes these topics; the password is told once.

    Raises InvalidInput for topics of ours, for `#` and for what begins with `$`, Conflict when the name is taken.
    """
    for topic in topics:
        if not _FILTER.fullmatch(topic) or topic.split("/")[0] == _OURS:
            raise InvalidInput(f"topic {topic[:80]!r} is not a hub's own: write a filter such as zigbee2mqtt/#")
    salt = secrets.token_bytes(_SALT_BYTES)
    values = {"name": name, "topics": topics, "key_id": keys.current, "salt": salt, "at": at, "by": by}
    with refusing(conn, _refusals(name)):
        conn.execute(_Q["insert_hub_account"], values)
    return hub_password(keys, name, keys.current, salt)


def hub_password(keys: DeviceKeys, name: str, key_id: str, salt: bytes) -> str:
    """The password of a hub's account."""
    return keys.derive(key_id, f"hub {name}", salt)


def hub_username(name: str) -> str:
    """A hub's user name, and its client id; no serial has a slash."""
    return f"hub/{name}"


def end_hub_account(conn: WriteConnection, name: str) -> None:
    """The hub is disconnected and has no account any more. Raises NotFound when it had none."""
    if not conn.execute(_Q["delete_hub_account"], {"name": name}).rowcount:
        raise NotFound(f"there is no hub {name[:80]}")


def select_hub_accounts(conn: ReadConnection) -> list[HubAccount]:
    """All hubs' accounts, by name."""
    with conn.cursor(row_factory=class_row(HubAccount)) as cursor:
        return cursor.execute(_Q["select_hub_accounts"]).fetchall()


def _refusals(name: str) -> Refusals:
    unfit = f"hub {name[:80]!r} is not 1 to 64 small letters, digits, dots, dashes or underscores"
    return {
        "hub_account_pkey": partial(Conflict, f"there is a hub {name} already: remove it first"),
        "hub_account_name_fits": partial(InvalidInput, unfit),
        "hub_account_has_topics": partial(InvalidInput, "a hub has 1 to 20 topics"),
    }
