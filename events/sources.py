"""Who may send events: sources, and the keys by which they are known."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

from psycopg.rows import class_row, kwargs_row, scalar_row

from events.nouns import Scope, Source, SourceId, SourceKind
from millpond.kernel.db import ReadConnection, Refusals, WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, InvalidInput, NotFound

_Q = load_queries("events")
_HINT = 4
_OWN_PAGES = "Millpond's own pages"
_REFUSALS: Refusals = {
    "source_name_once": partial(Conflict, "there is a source of that name already"),
    "source_name_bounds": partial(InvalidInput, "a source's name is 1 to 100 characters"),
    "source_in_public_hands_only_tells": partial(
        InvalidInput, "whoever opens a web page or an app has its key: such a source has the scope events and no other"
    ),
    "source_origins_are_addresses": partial(
        InvalidInput, "an origin is named as browsers do, without a path: https://shop.example"
    ),
    "source_origins_are_of_pages": partial(InvalidInput, "pages send for sources of kind web or app, and no other"),
    "source_key_source_id_fkey": partial(NotFound, "that source is not known"),
}


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once: `write_key` is kept nowhere."""

    key_id: int
    write_key: str
    hint: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a source, known by its last characters; `ended_at` is when it was, or None while it is good."""

    source_id: SourceId
    key_id: int
    hint: str
    valid_from: datetime
    ended_at: datetime | None


def register_source(
    conn: WriteConnection,
    *,
    name: str,
    kind: SourceKind,
    scopes: Collection[Scope] = (Scope.EVENTS,),
    origins: Collection[str] = (),
    at: datetime,
) -> Source:
    """Register a source without a key. Raises Conflict for a name that is taken, InvalidInput for what it may."""
    may = {"scopes": sorted({Scope.EVENTS, *scopes}), "origins": sorted(set(origins))}
    values = {"name": name, "kind": kind, **may, "at": at}
    with refusing(conn, _REFUSALS), conn.cursor(row_factory=kwargs_row(_source)) as cursor:
        made = cursor.execute(_Q["insert_source"], values).fetchone()
    assert made is not None
    return made


def issue_key(conn: WriteConnection, source_id: SourceId, *, at: datetime, shown: bool = False) -> NewKey:
    """One more key of a source; those before it stay good until they are ended. Raises NotFound.

    `shown` keeps the key itself, for pages of ours to show.
    """
    write_key = secrets.token_urlsafe(24)
    values: dict[str, Any] = {
        "source_id": source_id,
        "digest": _digest(write_key),
        "hint": write_key[-_HINT:],
        "at": at,
    }
    values["shown"] = write_key if shown else None
    with refusing(conn, _REFUSALS), conn.cursor(row_factory=scalar_row) as cursor:
        key_id = cursor.execute(_Q["insert_source_key"], values).fetchone()
    assert key_id is not None
    return NewKey(key_id, write_key, write_key[-_HINT:])


def select_shown_key(conn: ReadConnection) -> str | None:
    """The key that our own pages show; None before they were shown first, and after it was ended."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        key: str | None = cursor.execute(_Q["select_shown_key"]).fetchone()
    return key


def register_own_pages(conn: WriteConnection, *, at: datetime) -> str:
    """Make our own pages a source of events; the key that they show. Raises Conflict when they are one."""
    source = register_source(conn, name=_OWN_PAGES, kind=SourceKind.WEB, at=at)
    return issue_key(conn, source.source_id, at=at, shown=True).write_key


def end_key(conn: WriteConnection, source_id: SourceId, key_id: int, *, at: datetime) -> None:
    """From `at` on the key is nobody's. Raises NotFound when the source has no such key in force."""
    values = {"source_id": source_id, "key_id": key_id, "at": at}
    if not conn.execute(_Q["end_source_key"], values).rowcount:
        raise NotFound(f"source {source_id} has no key {key_id} that is in force")


def select_source_by_key(conn: ReadConnection, write_key: str, *, at: datetime) -> Source | None:
    """The source whose key this is at `at`; None for a key that is nobody's."""
    with conn.cursor(row_factory=kwargs_row(_source)) as cursor:
        return cursor.execute(_Q["select_source_by_key"], {"digest": _digest(write_key), "at": at}).fetchone()


def select_sources(conn: ReadConnection) -> list[Source]:
    """All sources, the oldest first: there are as many as somebody registered."""
    with conn.cursor(row_factory=kwargs_row(_source)) as cursor:
        return cursor.execute(_Q["select_sources"]).fetchall()


def require_source(conn: ReadConnection, named: SourceId | str) -> Source:
    """The source of this id, or of this name. Raises NotFound."""
    for source in select_sources(conn):
        if named in (source.source_id, source.name):
            return source
    raise NotFound(f"no source is called {str(named)[:100]!r}: GET /v1/sources has those that there are")


def select_source_keys(conn: ReadConnection) -> list[Key]:
    """The keys of all sources, those that ended too."""
    with conn.cursor(row_factory=class_row(Key)) as cursor:
        return cursor.execute(_Q["select_source_keys"]).fetchall()


def _digest(write_key: str) -> bytes:
    return sha256(write_key.encode("utf-8", "surrogatepass")).digest()


def _source(*, kind: str, scopes: Collection[str], origins: Collection[str], **columns: Any) -> Source:
    return Source(kind=SourceKind(kind), scopes=frozenset(map(Scope, scopes)), origins=tuple(origins), **columns)
