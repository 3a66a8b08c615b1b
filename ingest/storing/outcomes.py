"""What became of readings, and what ingest keeps besides them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from devices.bulk.columns import ReadingColumns
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.tiers.late import mark_late
from ingest.nouns import Tally
from ingest.storing.allowance import Drop
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest.storing")


def store_columns(
    conn: WriteConnection, columns: ReadingColumns, at: datetime, *, may_be_known: bool = False
) -> tuple[Tally, Mapping[str, int]]:
    """Store what is new; what is not is a duplicate when it says the same, and a conflict when it does not.

    A time of ours that meets a device's own is of another sample, also where both say the same. Readings that
    `may_be_known` are looked up at once. Days before that of `at` are marked as late. Returns the outcomes, and how
    many new conflicts each device has, by serial.
    """
    stored = store_readings(conn, columns, may_be_known=may_be_known)
    if stored.new:
        mark_late(conn, columns, at)
    conflicts = insert_conflicts(conn, columns.take(stored.differing).readings()) if len(stored.differing) else {}
    count = sum(conflicts.values())
    return Tally(stored.new, conflict=count, duplicate=len(columns) - stored.new - count), conflicts


def insert_conflicts(conn: WriteConnection, readings: Sequence[Reading]) -> dict[str, int]:
    """Keep readings that disagree with a stored one; returns how many were not kept already, by serial."""
    values = {
        "device_ids": [r.device_id for r in readings],
        "metric_ids": [r.metric_id for r in readings],
        "measured_ats": [r.measured_at for r in readings],
        "values": [r.value for r in readings],
        "states": [r.state for r in readings],
        "received_ats": [r.received_at for r in readings],
    }
    return dict(conn.execute(_Q["insert_conflicts"], values).fetchall())


def add_to_minute(
    conn: WriteConnection,
    consumer: str,
    tally: Tally,
    messages: int,
    at: datetime,
    *,
    waiting: int = 0,
    dropped: int = 0,
) -> None:
    """Count a batch's outcomes in the minute of `at`, and its messages: those that were taken, and those dropped.

    So many of the quarantined items are `waiting` in the lobby.
    """
    values = {
        "consumer": consumer,
        "at": at,
        "messages": messages,
        "received": tally.received,
        "stored": tally.stored,
        "duplicate": tally.duplicate,
        "conflict": tally.conflict,
        "quarantined": tally.quarantined,
        "waiting": waiting,
        "dropped": dropped,
    }
    conn.execute(_Q["add_to_minute"], values)


def add_drops(conn: WriteConnection, drops: Sequence[Drop], at: datetime) -> None:
    """Count dropped messages by device, day and allowance; in key order, so that two writers never deadlock."""
    by_key: dict[tuple[str, str], list[Drop]] = {}
    for drop in drops:
        by_key.setdefault((drop.serial, drop.allowance.value), []).append(drop)
    keys = sorted(by_key)
    groups = [by_key[key] for key in keys]
    values = {
        "serials": [serial for serial, _ in keys],
        "allowances": [allowance for _, allowance in keys],
        "messages": [len(group) for group in groups],
        "items": [sum(drop.items for drop in group) for group in groups],
        "bytes": [sum(drop.bytes for drop in group) for group in groups],
        "at": at,
    }
    conn.execute(_Q["add_drops"], values)
