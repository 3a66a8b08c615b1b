"""One function, one statement: whom to tell, and what they were told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from outward.told.nouns import Told

_Q = load_queries("outward")


@dataclass(frozen=True, slots=True)
class DeviceToTell:
    """A device, what its model is called, and the language of its owner; `locale` is None while nobody owns it."""

    device_id: int
    serial: str
    model: str
    model_name: dict[str, str]
    locale: str | None


def select_devices_to_tell(conn: ReadConnection, after: int, limit: int) -> list[DeviceToTell]:
    """The next devices after a key."""
    with conn.cursor(row_factory=class_row(DeviceToTell)) as cursor:
        return cursor.execute(_Q["select_devices_to_tell"], {"after": after, "limit": limit}).fetchall()


def select_consumable_names(conn: ReadConnection) -> dict[str, dict[str, str]]:
    """What consumables are called, by language."""
    return dict(conn.execute(_Q["select_consumable_names"]).fetchall())


def select_told(conn: ReadConnection, device_ids: Sequence[int]) -> dict[str, bytes]:
    """By topic the digest of what was told last."""
    return dict(conn.execute(_Q["select_told_topics"], {"device_ids": list(device_ids)}).fetchall())


def upsert_told(conn: WriteConnection, told: Sequence[Told], at: datetime) -> None:
    """These were told."""
    values = {
        "topics": [each.topic for each in told],
        "device_ids": [each.device_id for each in told],
        "contents": [each.digest for each in told],
    }
    conn.execute(_Q["upsert_told_topics"], values | {"at": at})


def delete_told(conn: WriteConnection, topics: Collection[str]) -> None:
    """These were taken back."""
    conn.execute(_Q["delete_told_topics"], {"topics": list(topics)})


def forget_told(conn: WriteConnection) -> int:
    """Nothing counts as told any more; returns how much did."""
    return conn.execute(_Q["forget_told_topics"]).rowcount
