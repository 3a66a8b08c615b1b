"""What events say of who somebody is."""

from collections.abc import Collection, Iterable, Iterator

from customers.identifiers import Identifier, select_logins
from customers.identity.hashing import Hashed, Hashing
from customers.identity.nouns import Claim, Trust
from customers.nouns import Namespace
from events.nouns import Call, Event, Scope, Source
from millpond.kernel.db import ReadConnection


def trust_in(source: Source) -> Trust:
    """How far a source is believed."""
    return Trust.SOURCE if Scope.IDENTIFY in source.scopes else Trust.PUBLIC


def claims_of(conn: ReadConnection, source: Source, events: Iterable[Event], hashing: Hashing) -> list[Claim]:
    """What some new events of a source claim: each login beside an anonymous id, and what identify and alias say."""
    events = list(events)
    previous = {event.previous_id for event in events if event.call is Call.ALIAS and event.previous_id is not None}
    logins = select_logins(conn, previous) if previous else frozenset()
    return [claim for event in events for claim in _claims(source, event, hashing, logins)]


def _claims(source: Source, event: Event, hashing: Hashing, logins: Collection[str]) -> Iterator[Claim]:
    login = None if event.login is None else (Namespace.EXTERNAL, event.login)
    anonymous = None if event.anonymous_id is None else (Namespace.ANONYMOUS, event.anonymous_id)
    if login is not None and anonymous is not None:
        yield _claim(source, event, Hashed(anonymous), login)
    if event.call is Call.ALIAS and event.previous_id is not None and login is not None:
        # Segment's alias does not say what the id before was: a login that we know, or the id of a browser.
        namespace = Namespace.EXTERNAL if event.previous_id in logins else Namespace.ANONYMOUS
        yield _claim(source, event, Hashed((namespace, event.previous_id)), login)
    who = login or anonymous
    for also in event.claims:
        named = hashing.named(*also)
        if named is not None and who is not None:
            yield _claim(source, event, named, who)


def _claim(source: Source, event: Event, named: Hashed, who: Identifier) -> Claim:
    evidence = {"source": source.source_id, "message": event.message_id}
    return Claim(named.now, who, event.call, event.happened_at, evidence, named.before)
