"""One function, one statement: which boot and which session is live for each serial, and who took turns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ingest.storing.turns import Heard, LiveName, NameKey, Shared
from millpond.kernel.arrays import moments, to_us
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("ingest.storing")


def select_changed_names(conn: ReadConnection, heard: Sequence[Heard]) -> list[NameKey]:
    """The keys of registered devices under which a name was heard that is not the live one."""
    names = {(one.serial, one.kind, one.name) for one in heard}
    serials, kinds, heard_names = zip(*names, strict=True)
    values = {"serials": list(serials), "kinds": list(kinds), "names": list(heard_names)}
    return conn.execute(_Q["select_changed_names"], values).fetchall()


def insert_first_names(conn: WriteConnection, heard: Sequence[Heard]) -> list[NameKey]:
    """Remember those, one of a key, that are the first and news; returns their keys, and locks the others'."""
    values = {
        "serials": [one.serial for one in heard],
        "kinds": [one.kind for one in heard],
        "names": [one.name for one in heard],
        "sinces": moments(np.array([to_us(one.at) for one in heard], np.int64)),
    }
    return conn.execute(_Q["insert_first_names"], values).fetchall()


def lock_live_names(conn: WriteConnection, keys: Sequence[NameKey]) -> dict[NameKey, LiveName]:
    """What is known of these, kept from other writers until the commit."""
    values = {"serials": [serial for serial, _ in keys], "kinds": [kind for _, kind in keys]}
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_Q["lock_live_names"], values).fetchall()
    return {(row["serial"], row["kind"]): _live_name(row) for row in rows}


def select_highest_seqs(conn: ReadConnection, boots: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The highest number that came of each of these boots, of those that ever came."""
    serials, names = zip(*boots, strict=True)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_Q["select_highest_seqs"], {"serials": list(serials), "boots": list(names)})
        return {(row["serial"], row["boot"]): int(row["highest"]) for row in rows}


def upsert_live_names(conn: WriteConnection, live: Mapping[NameKey, LiveName]) -> None:
    """Remember who is live."""
    rows = [{"serial": serial, "kind": kind} | _columns(one) for (serial, kind), one in live.items()]
    conn.execute(_Q["upsert_live_names"], {"rows": Jsonb(rows, dumps=partial(json.dumps, default=datetime.isoformat))})


def _columns(live: LiveName) -> dict[str, Any]:
    shared = live.shared
    return {
        "name": live.name,
        "since": live.since,
        "before": live.before,
        "returned_at": live.returned_at,
        "shared_names": shared.names if shared else None,
        "shared_first_at": shared.first_at if shared else None,
        "shared_last_at": shared.last_at if shared else None,
        "shared_returns": shared.returns if shared else 0,
    }


def _live_name(row: Mapping[str, Any]) -> LiveName:
    shared = None
    if row["shared_returns"]:
        names, first_at, last_at = tuple(row["shared_names"]), row["shared_first_at"], row["shared_last_at"]
        shared = Shared(names, first_at, last_at, row["shared_returns"])
    return LiveName(row["name"], row["since"], tuple(row["before"]), tuple(row["returned_at"]), shared)
