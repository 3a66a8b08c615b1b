"""Storing events: each message id of a source counts once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from customers.erased import keep_in, select_erased
from customers.identifiers import Identifier, note_identifiers
from customers.nouns import Namespace
from events.nouns import Event, Source, Stored
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("events")
# Events whose properties say where somebody was. Coordinates are kept of none.
_PLACES = ["Store Entered", "Store Left", "Beacon Seen"]


def store_events(conn: WriteConnection, source: Source, batch: Sequence[Event], *, at: datetime) -> Stored:
    """Store a batch in the caller's transaction; of several with one message id the first counts.

    Nothing follows from an event here: whoever stores does what `Stored.new` asks for, in the same transaction. What
    somebody did who was erased since is not stored, whenever and from wherever it comes.
    """
    first: dict[str, Event] = {}
    for event in batch:
        first.setdefault(event.message_id, event)
    events = without_erased(conn, list(first.values()))
    gone = len(first) - len(events)
    ids = note_named(conn, events, at=at)
    values = {
        "source_id": source.source_id,
        "received_at": at,
        "message_ids": [event.message_id for event in events],
        "calls": [event.call for event in events],
        "names": [event.name for event in events],
        "happened_ats": [event.happened_at for event in events],
        "subject_ids": [_id_of(ids, name_of_subject(event)) for event in events],
        "anonymous_ids": [_id_of(ids, _anonymous(event)) for event in events],
        "places": _PLACES,
        "session_ids": [event.session_id for event in events],
        "skus": [event.sku for event in events],
        "properties": _together([event.properties for event in events]),
        "contexts": _together([event.context for event in events]),
    }
    stored = {message_id for (message_id,) in conn.execute(_Q["insert_events"], values)}
    new = tuple(event for event in events if event.message_id in stored)
    return Stored(new, len(batch) - len(new) - gone, gone)


def without_erased(conn: WriteConnection, events: Sequence[Event]) -> list[Event]:
    """Without what people did before they were erased, and without the ids of their browsers beside others' logins."""
    keep_in(conn)
    erased = select_erased(conn, _named(events))
    if not erased:
        return list(events)

    def is_gone(named: Identifier | None, event: Event) -> bool:
        return named is not None and named in erased and event.happened_at <= erased[named]

    kept = (event for event in events if not is_gone(name_of_subject(event), event))
    return [replace(event, anonymous_id=None) if is_gone(_anonymous(event), event) else event for event in kept]


def note_named(conn: WriteConnection, events: Sequence[Event], *, at: datetime) -> dict[Identifier, int]:
    """The ids of the logins and anonymous ids that events have, of which new ones are noted."""
    return note_identifiers(conn, _named(events), at=at)


def _named(events: Sequence[Event]) -> set[Identifier]:
    both = ((name_of_subject(event), _anonymous(event)) for event in events)
    return {named for names in both for named in names if named is not None}


def name_of_subject(event: Event) -> Identifier | None:
    """Under which name it was done: the login where there was one, else the anonymous id."""
    return (Namespace.EXTERNAL, event.login) if event.login is not None else _anonymous(event)


def _anonymous(event: Event) -> Identifier | None:
    return None if event.anonymous_id is None else (Namespace.ANONYMOUS, event.anonymous_id)


def _together(texts: Sequence[str]) -> str:
    """JSON texts as one array; in an array of the database's each quote would be escaped, which takes longest."""
    return f"[{','.join(texts)}]"


def _id_of(ids: dict[Identifier, int], named: Identifier | None) -> int | None:
    return None if named is None else ids[named]
