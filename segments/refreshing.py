"""The job of segments: facts first, then the members of each segment; all of them once a day, else of who changed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import TopologicalSorter

from psycopg.errors import QueryCanceled

from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.jobs import Claim, held
from segments.built_in import seed_segments
from segments.defining import prepare_condition
from segments.facts.refresh import Progress, measure_cycle_days, refresh_cuts, refresh_facts, select_changed
from segments.nouns import Segment
from segments.statements import renewing, values_of
from segments.store import LastRefreshes, hold_to_time, insert_refresh, insert_sizes, select_refreshes, select_segments

_LOG = logging.getLogger(__name__)
_WHOLE_EVERY = timedelta(days=1)
_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: of how many customers, and how many memberships began and ended."""

    complete: bool
    customers: int
    began: int
    ended: int
    failed: tuple[str, ...] = ()


def run_refresh(
    conn: WriteConnection,
    at: datetime,
    *,
    asked_at: datetime,
    complete: bool = False,
    claim: Claim | None = None,
    on_progress: Progress = lambda _: None,
) -> Refreshed:
    """Bring facts and members to `at`; whole when `complete`, or when the last whole one is a day ago.

    Consent is asked for at `asked_at`. Must be called outside a transaction.
    """
    only, days = _plan(conn, at, select_refreshes(conn, at), complete=complete)
    customers = refresh_facts(
        conn, at, asked_at=asked_at, cycle_days=days, only=only, claim=claim, on_progress=on_progress
    )
    if only is None:
        with held(conn, claim):
            refresh_cuts(conn, at)
            seed_segments(conn, at=at)
    refreshed = _refresh_members(conn, at, asked_at=asked_at, only=only, customers=customers, claim=claim)
    with held(conn, claim):
        insert_sizes(conn, at)
        insert_refresh(conn, at, complete=only is None, customers=customers, cycle_days=days)
    return refreshed


def _plan(
    conn: WriteConnection, at: datetime, before: LastRefreshes, *, complete: bool
) -> tuple[list[CustomerId] | None, float]:
    """Of whom facts are renewed (None: of all), and how long customers usually wait: as at the last whole refresh."""
    if complete or before.last_at is None or before.complete_at is None or before.cycle_days is None:
        return None, measure_cycle_days(conn)
    if before.complete_at <= at - _WHOLE_EVERY:
        return None, measure_cycle_days(conn)
    return select_changed(conn, since=before.last_at, at=at), before.cycle_days


def _refresh_members(
    conn: WriteConnection,
    at: datetime,
    *,
    asked_at: datetime,
    only: Sequence[CustomerId] | None,
    customers: int,
    claim: Claim | None,
) -> Refreshed:
    segments = select_segments(conn)
    began, ended, failed, whole = 0, 0, list[str](), set[str]()
    for segment in _in_order(segments):
        # Who comes into a segment that is looked for in everybody may be anybody: so it goes for those that name it.
        whole |= {segment.segment_id} if _is_new(segment) or whole & set(segment.refers) else set()
        whom = None if segment.segment_id in whole else only
        try:
            came, went = _renew(conn, segments, segment, at, asked_at, whom, claim)
        except QueryCanceled:
            failed.append(segment.segment_id)
            _LOG.warning(
                "%s took too long and stays as it was", segment.segment_id, extra={"event": "segment_too_slow"}
            )
            continue
        began, ended = began + came, ended + went
    return Refreshed(only is None, customers, began, ended, tuple(failed))


def _is_new(segment: Segment) -> bool:
    """New, or changed since its members were counted."""
    return segment.counted_at is None or segment.changed_at >= segment.counted_at


def _renew(
    conn: WriteConnection,
    known: Sequence[Segment],
    segment: Segment,
    at: datetime,
    asked_at: datetime,
    whom: Sequence[CustomerId] | None,
    claim: Claim | None,
) -> tuple[int, int]:
    ready = prepare_condition(known, segment.condition, name=segment.segment_id)
    values = values_of(ready.compiled, at=at, asked_at=asked_at, segment_id=segment.segment_id)
    with held(conn, claim):
        hold_to_time(conn, _SECONDS_MAX)
        row = conn.execute(
            renewing(ready.compiled, ready.needs), values | {"customer_ids": whom}, prepare=False
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _in_order(segments: Sequence[Segment]) -> list[Segment]:
    """Each after those that it names."""
    by_name: dict[str, Segment] = {segment.segment_id: segment for segment in segments}
    order = TopologicalSorter({segment.segment_id: segment.refers for segment in segments}).static_order()
    return [by_name[name] for name in order if name in by_name]
