"""One function, one statement: segments, their members and sizes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from customers.nouns import Purpose
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import CustomerId
from segments.nouns import Belonging, Member, Segment, SegmentId, Size

_Q = load_queries("segments")
_ALL = 10_000


@dataclass(frozen=True, slots=True)
class LastRefreshes:
    """For which moment facts and members were renewed last; for which moment all of them, and by which usual cycle."""

    last_at: datetime | None
    complete_at: datetime | None
    cycle_days: float | None


def upsert_segment(
    conn: WriteConnection,
    segment_id: str,
    *,
    title: Mapping[str, str],
    condition: Mapping[str, Any],
    needs: Collection[Purpose],
    refers: Collection[str],
    built_in: bool,
    at: datetime,
) -> bool:
    """Keep it under its name; False where that is taken by one that ships, or by an operator's if this one ships."""
    values = {
        "segment_id": segment_id,
        "title": Jsonb(dict(title)),
        "condition": Jsonb(dict(condition)),
        "needs": sorted(needs),
        "refers": sorted(refers),
        "built_in": built_in,
        "at": at,
    }
    return conn.execute(_Q["upsert_segment"], values).fetchone() is not None


def lock_segments(conn: WriteConnection) -> None:
    """Let nobody else change a segment until the caller's transaction ends."""
    conn.execute(_Q["lock_segments"])


def count_own_segments(conn: ReadConnection, without: str) -> int:
    """How many segments operators made, without one."""
    row = conn.execute(_Q["count_segments"], {"segment_id": without}).fetchone()
    assert row is not None
    return int(row[0])


def select_segments(conn: ReadConnection, *, after: str = "", limit: int = _ALL) -> list[Segment]:
    """Segments by name, with their newest size."""
    return _select(conn, after, None, limit)


def select_segment(conn: ReadConnection, segment_id: str) -> Segment:
    """One of them. Raises NotFound."""
    found = _select(conn, "", segment_id, 1)
    if not found:
        raise NotFound("no such segment")
    return found[0]


def _select(conn: ReadConnection, after: str, segment_id: str | None, limit: int) -> list[Segment]:
    values = {"after": after, "segment_id": segment_id, "limit": limit}
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_Q["select_segments"], values).fetchall()
    return [
        Segment(**row | {"needs": tuple(Purpose(need) for need in row["needs"]), "refers": tuple(row["refers"])})
        for row in rows
    ]


def select_members(
    conn: ReadConnection, segment_id: str, *, at: datetime, after: str = "", limit: int = 50
) -> tuple[list[Member], str | None]:
    """Members after an id who agree at `at` to what the segment needs, and after which id it goes on, if it does.

    A page may be short, or empty, where some do not agree any more.
    """
    values = {"segment_id": segment_id, "after": after, "limit": limit, "at": at}
    rows = conn.execute(_Q["select_members"], values).fetchall()
    members = [Member(customer_id, since, evidence) for customer_id, since, evidence, agrees in rows if agrees]
    return members, rows[-1][0] if len(rows) == limit else None


def select_segments_of(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> list[Belonging]:
    """The segments that a person is in now, by any of their ids, as far as they agree at `at`."""
    with conn.cursor(row_factory=class_row(Belonging)) as cursor:
        return cursor.execute(_Q["select_segments_of"], {"customer_id": customer_id, "at": at}).fetchall()


def select_sizes(conn: ReadConnection, segment_id: str, *, since: datetime) -> list[Size]:
    """How many members a segment had since a moment."""
    with conn.cursor(row_factory=class_row(Size)) as cursor:
        return cursor.execute(_Q["select_sizes"], {"segment_id": SegmentId(segment_id), "since": since}).fetchall()


def insert_sizes(conn: WriteConnection, at: datetime) -> None:
    """Write down how many members each segment has."""
    conn.execute(_Q["insert_sizes"], {"at": at})


def insert_refresh(conn: WriteConnection, at: datetime, *, complete: bool, customers: int, cycle_days: float) -> None:
    """Facts and members are as of `at` now; `cycle_days` is how long customers usually wait."""
    values = {"at": at, "complete": complete, "customers": customers, "cycle_days": cycle_days}
    conn.execute(_Q["insert_refresh"], values)


def select_refreshes(conn: ReadConnection, at: datetime) -> LastRefreshes:
    """What was renewed up to a moment."""
    with conn.cursor(row_factory=class_row(LastRefreshes)) as cursor:
        row = cursor.execute(_Q["select_refreshes"], {"at": at}).fetchone()
    assert row is not None
    return row


def select_agreeing(
    conn: ReadConnection, customer_ids: Collection[CustomerId], needs: Collection[Purpose], at: datetime
) -> set[CustomerId]:
    """Those of some customers who agree at `at` to all of some purposes."""
    if not needs:
        return set(customer_ids)
    values = {"customer_ids": list(customer_ids), "needs": list(needs), "at": at}
    return {customer_id for (customer_id,) in conn.execute(_Q["select_agreeing"], values)}


def select_categories_sold(conn: ReadConnection) -> list[str]:
    """All categories of what is sold."""
    return [category for (category,) in conn.execute(_Q["select_categories_sold"])]


def hold_to_time(conn: ReadConnection, seconds: float) -> None:
    """Let no statement of the caller's transaction take longer."""
    conn.execute(_Q["hold_to_time"], {"milliseconds": int(seconds * 1000)})
