"""Storing events: each message id of a source counts once."""

from collections.abc import Sequence
from datetime import datetime

from customers.identifiers import Identifier, note_identifiers
from customers.nouns import Namespace
from events.nouns import Event, Source, Stored
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("events")


def store_events(conn: WriteConnection, source: Source, batch: Sequence[Event], *, at: datetime) -> Stored:
    """Store a batch in the caller's transaction; of several with one message id the first counts.

    Nothing follows from an event here: whoever stores does what `Stored.new` asks for, in the same transaction.
    """
    first: dict[str, Event] = {}
    for event in batch:
        first.setdefault(event.message_id, event)
    events = list(first.values())
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
        "session_ids": [event.session_id for event in events],
        "skus": [event.sku for event in events],
        "properties": [event.properties for event in events],
        "contexts": [event.context for event in events],
    }
    stored = {message_id for (message_id,) in conn.execute(_Q["insert_events"], values)}
    new = tuple(event for event in events if event.message_id in stored)
    return Stored(new, len(batch) - len(new))


def note_named(conn: WriteConnection, events: Sequence[Event], *, at: datetime) -> dict[Identifier, int]:
    """The ids of the logins and anonymous ids that events have, of which new ones are noted."""
    both = ((name_of_subject(event), _anonymous(event)) for event in events)
    return note_identifiers(conn, {named for names in both for named in names if named is not None}, at=at)


def name_of_subject(event: Event) -> Identifier | None:
    """Under which name it was done: the login where there was one, else the anonymous id."""
    return (Namespace.EXTERNAL, event.login) if event.login is not None else _anonymous(event)


def _anonymous(event: Event) -> Identifier | None:
    return None if event.anonymous_id is None else (Namespace.ANONYMOUS, event.anonymous_id)


def _id_of(ids: dict[Identifier, int], named: Identifier | None) -> int | None:
    return None if named is None else ids[named]
