"""What came of what a source told: how much was taken, what was set aside and why, and how late it came."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from psycopg.rows import kwargs_row

from events.nouns import Source, SourceId, Taken
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("events")
_BOUNDS_S = (1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 604_800)


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """What came from a source in a while. Lateness is from when events happened to when they came, in seconds.

    It is counted in steps, so it is a bound: so much or less. None when no event came, or it is more than a week.
    """

    source_id: SourceId
    taken: int
    repeated: int
    refused: dict[str, int]
    latest_at: datetime | None
    late_p50_s: int | None
    late_p95_s: int | None


def count_taken(conn: WriteConnection, source: Source, taken: Taken, *, at: datetime) -> None:
    """Add what became of calls to the figures of their source; last in a transaction, since others may wait for it."""
    new = taken.stored.new
    if new or taken.stored.repeated:
        values = {
            "taken": len(new),
            "repeated": taken.stored.repeated,
            "lateness": _steps(at, [e.happened_at for e in new]),
        }
        latest = {"latest_at": max((event.happened_at for event in new), default=None)}
        conn.execute(_Q["count_taken"], {"source_id": source.source_id, "at": at, **values, **latest})
    if taken.refused:
        by_reason = Counter(each.reason for each in taken.refused)
        values = {"reasons": list(by_reason), "calls": list(by_reason.values())}
        conn.execute(_Q["count_refused"], {"source_id": source.source_id, "at": at, **values})


def select_source_figures(conn: ReadConnection, *, since: datetime) -> list[SourceFigures]:
    """What came from each source since the hour of `since`, by id."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    with conn.cursor(row_factory=kwargs_row(_figures)) as cursor:
        return cursor.execute(_Q["select_source_figures"], {"since": hour}).fetchall()


def _figures(*, lateness: Sequence[int] | None, refused: dict[str, int] | None, **columns: Any) -> SourceFigures:
    counts = lateness or [0] * (len(_BOUNDS_S) + 1)
    p50, p95 = _bound(counts, 0.5), _bound(counts, 0.95)
    return SourceFigures(refused=refused or {}, late_p50_s=p50, late_p95_s=p95, **columns)


def _steps(at: datetime, happened: list[datetime]) -> list[int]:
    counts = [0] * (len(_BOUNDS_S) + 1)
    for moment in happened:
        counts[bisect_left(_BOUNDS_S, (at - moment) / timedelta(seconds=1))] += 1
    return counts


def _bound(counts: Sequence[int], part: float) -> int | None:
    """The least of the bounds up to which `part` of the events had come."""
    so_far = list(accumulate(counts))
    if not so_far[-1]:
        return None
    step = bisect_left(so_far, part * so_far[-1])
    return _BOUNDS_S[step] if step < len(_BOUNDS_S) else None
