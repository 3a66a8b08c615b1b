"""One function, one statement: the lobby as the writer sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ingest.storing.quarantine import Room
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import new_id

if TYPE_CHECKING:
    from ingest.storing.door import Caller

_Q = load_queries("ingest.storing")
_NONE = Room()


@dataclass(slots=True)
class Place:
    """What waits of one unknown device; `refused` when somebody said that it is not to be kept."""

    name: str
    refused: bool = False
    messages: int = 0
    bytes: int = 0


def select_hall(conn: ReadConnection) -> tuple[int, int]:
    """How many unknown devices wait, and about how many bytes of theirs."""
    [(devices, held)] = conn.execute(_Q["select_hall"]).fetchall()
    return int(devices), int(held)


def select_places(conn: ReadConnection, names: Sequence[str]) -> dict[str, Place]:
    """Those of `names` that have a place in the lobby."""
    with conn.cursor(row_factory=class_row(Place)) as cursor:
        rows = cursor.execute(_Q["select_places"], {"names": list(names)}).fetchall()
    return {row.name: row for row in rows}


def upsert_callers(
    conn: WriteConnection, callers: "Mapping[str, Caller]", rooms: Mapping[str, Room], at: datetime
) -> None:
    """Remember who spoke, and what of it is kept now; in key order, so that two writers never deadlock."""
    ordered = [callers[name] for name in sorted(callers)]
    values = {
        "names": [one.name for one in ordered],
        "lobby_ids": [new_id("lob") for _ in ordered],
        "formats": [one.format for one in ordered],
        "identities": [one.identity for one in ordered],
        "by_serials": [one.by_serial for one in ordered],
        "topics": [one.topic for one in ordered],
        "said_models": [one.said_model for one in ordered],
        "other_names": [Jsonb(list(one.other_names)) for one in ordered],
        "messages": [rooms.get(one.name, _NONE).messages for one in ordered],
        "bytes": [rooms.get(one.name, _NONE).bytes for one in ordered],
        "dropped": [one.dropped for one in ordered],
        "at": at,
    }
    conn.execute(_Q["upsert_callers"], values)
