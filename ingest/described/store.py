"""One function, one statement: what formats must know of their messages, and heard in others."""

from collections.abc import Collection, Mapping
from datetime import datetime

from ingest.formats.describing import Description
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("ingest.described")

# A format's name, and what its messages call what they need.
Key = tuple[str, str]


def select_descriptions(conn: ReadConnection, keys: Collection[Key]) -> dict[Key, bytes]:
    """What is known of these keys."""
    values = {"formats": [name for name, _ in keys], "keys": [key for _, key in keys]}
    return {(name, key): body for name, key, body in conn.execute(_Q["select_descriptions"], values).fetchall()}


def count_descriptions(conn: ReadConnection, owners: Collection[Key]) -> dict[tuple[str, str | None], int]:
    """How many rows each of these formats has (under None), and each of these owners."""
    values = {
        "formats": sorted({name for name, _ in owners}),
        "owner_formats": [name for name, _ in owners],
        "owners": [owner for _, owner in owners],
    }
    return {(name, owner): count for name, owner, count in conn.execute(_Q["count_descriptions"], values).fetchall()}


def upsert_descriptions(conn: WriteConnection, said: Mapping[Key, tuple[Description, datetime]]) -> None:
    """Keep what was described, and when it was received."""
    keys = sorted(said)
    values = {
        "formats": [name for name, _ in keys],
        "keys": [key for _, key in keys],
        "owners": [said[key][0].owner for key in keys],
        "bodies": [said[key][0].body for key in keys],
        "described_ats": [said[key][1] for key in keys],
    }
    conn.execute(_Q["upsert_descriptions"], values)


def delete_descriptions(conn: WriteConnection, keys: Collection[Key]) -> None:
    """Forget these."""
    values = {"formats": [name for name, _ in keys], "keys": [key for _, key in keys]}
    conn.execute(_Q["delete_descriptions"], values)
