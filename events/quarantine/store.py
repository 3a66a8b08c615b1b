"""One function, one statement: what was set aside, and events that the plan does not know."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from msgspec.json import decode, encode
from psycopg.rows import class_row

from customers.identifiers import Identifier
from events.nouns import Event, Refused, Source
from events.quarantine.nouns import Filter, SetAside, SetAsideGroup, UnknownEvent
from events.store import name_of_subject, note_named, without_erased
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("events.quarantine")
RAW_MAX_BYTES = 32_768
NAMES_MAX = 1_000
ALL = Filter()
_AFTER_ALL = (datetime(9999, 1, 1, tzinfo=UTC), 0)


def set_aside(
    conn: WriteConnection, source: Source, refused: Sequence[Refused], *, at: datetime, per_day_max: int
) -> None:
    """Keep calls that were not taken, in the caller's transaction: each once, however often it comes.

    What somebody did who was erased since is not kept. Beyond `per_day_max` new ones of a source in a day nothing more
    is kept; their number is with the source's figures.
    """
    read = without_erased(conn, [each.event for each in refused if each.event is not None])
    kept = {event.message_id for event in read}
    by_name = {_known_as(each): each for each in refused if each.event is None or each.event.message_id in kept}
    if not by_name:
        return
    shared = {"source_id": source.source_id, "at": at}
    again = {name for (name,) in conn.execute(_Q["repeat_set_aside"], _columns(conn, by_name, at) | shared)}
    new = {name: each for name, each in by_name.items() if name not in again}
    if new:
        conn.execute(_Q["insert_set_aside"], _columns(conn, new, at) | shared | {"most": per_day_max})


def _columns(conn: WriteConnection, by_name: dict[str, Refused], at: datetime) -> dict[str, Any]:
    calls = list(by_name.values())
    events = [each.event for each in calls]
    ids = note_named(conn, [event for event in events if event is not None], at=at)
    return {
        "known_as": list(by_name),
        "calls": [each.call for each in calls],
        "names": ["" if event is None else event.name for event in events],
        "reasons": [each.reason for each in calls],
        "details": [each.detail for each in calls],
        "raws": [each.raw[:RAW_MAX_BYTES] for each in calls],
        "sizes": [len(each.raw) for each in calls],
        "events": [None if event is None else encode(replace(event, claims=())).decode() for event in events],
        "subject_ids": [_id_of(ids, event) for event in events],
        "anonymous_ids": [_id_of(ids, event and replace(event, login=None)) for event in events],
    }


def _id_of(ids: dict[Identifier, int], event: Event | None) -> int | None:
    named = None if event is None else name_of_subject(event)
    return None if named is None else ids[named]


def _known_as(refused: Refused) -> str:
    return sha256(refused.raw).hexdigest() if refused.event is None else refused.event.message_id


def read_event(call: SetAside) -> Event | None:
    """The event as it was read when it came; None when it could not be read."""
    return None if call.event is None else decode(call.event, type=Event)


def select_set_aside(
    conn: ReadConnection, chosen: Filter = ALL, *, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[SetAside]:
    """Up to `limit` calls after `before` (first_at, quarantine_id), newest first."""
    before_at, before_id = before or _AFTER_ALL
    with conn.cursor(row_factory=class_row(SetAside)) as cursor:
        values = asdict(chosen) | {"before_at": before_at, "before_id": before_id, "most": limit}
        return cursor.execute(_Q["select_set_aside"], values).fetchall()


def select_set_aside_call(conn: ReadConnection, quarantine_id: int) -> SetAside | None:
    """One call that was set aside."""
    with conn.cursor(row_factory=class_row(SetAside)) as cursor:
        return cursor.execute(_Q["select_set_aside_call"], {"quarantine_id": quarantine_id}).fetchone()


def lock_set_aside(
    conn: WriteConnection, chosen: Filter, *, only: int | None = None, after: int = 0, most: int = 100
) -> list[SetAside]:
    """Up to `most` calls that wait, oldest first; nobody else replays them until the transaction ends."""
    with conn.cursor(row_factory=class_row(SetAside)) as cursor:
        values = asdict(chosen) | {"only": only, "after": after, "most": most}
        return cursor.execute(_Q["lock_set_aside"], values).fetchall()


def mark_replayed(conn: WriteConnection, call: SetAside, *, at: datetime) -> None:
    """It was taken after all."""
    conn.execute(_Q["mark_replayed"], {"quarantine_id": call.quarantine_id, "at": at})


def mark_refused_still(conn: WriteConnection, call: SetAside, refused: Refused) -> None:
    """Keep why it is refused now."""
    values = {"quarantine_id": call.quarantine_id, "reason": refused.reason, "detail": refused.detail}
    conn.execute(_Q["mark_refused_still"], values)


def drop_set_aside(conn: WriteConnection, chosen: Filter, *, only: int | None = None) -> int:
    """Let calls go for good; how many there were."""
    return conn.execute(_Q["delete_set_aside"], asdict(chosen) | {"only": only}).rowcount


def select_set_aside_groups(conn: ReadConnection, *, limit: int = 200) -> list[SetAsideGroup]:
    """What waits by its reason, its source and its event, most first."""
    with conn.cursor(row_factory=class_row(SetAsideGroup)) as cursor:
        return cursor.execute(_Q["select_set_aside_groups"], {"most": limit}).fetchall()


def note_unknown_events(conn: WriteConnection, source: Source, events: Sequence[Event], *, at: datetime) -> None:
    """Count events of which the plan says nothing, of the first thousand names of a source each by its name."""
    counted = Counter(event.name for event in events)
    if counted:
        values = {"source_id": source.source_id, "names": list(counted), "counts": list(counted.values())}
        conn.execute(_Q["note_unknown_events"], values | {"at": at, "most": NAMES_MAX})


def select_unknown_events(conn: ReadConnection, *, limit: int = 200) -> list[UnknownEvent]:
    """Events of which the plan says nothing, most first."""
    with conn.cursor(row_factory=class_row(UnknownEvent)) as cursor:
        return cursor.execute(_Q["select_unknown_events"], {"most": limit}).fetchall()
