"""Taking calls after all that were set aside, once the cause is gone: the plan was mended, or the order has come."""

from datetime import datetime

import psycopg

from attribution.hold_nouns import Ceilings
from events.nouns import Call, Calls, Heard, Refused
from events.quarantine.nouns import Filter, Replayed, SetAside
from events.quarantine.store import lock_set_aside, mark_refused_still, mark_replayed, read_event
from events.sources import require_source
from events.terms import Terms
from events.wire import decode_batch, decode_call
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import NotFound
from offers.taking.take import take_events

_A_CHUNK = 100
_CEILINGS = Ceilings()


def replay_set_aside(
    conn: WriteConnection,
    chosen: Filter,
    terms: Terms,
    *,
    at: datetime,
    only: int | None = None,
    after: int = 0,
    most: int | None = None,
    dry_run: bool = False,
    ceilings: Ceilings = _CEILINGS,
) -> Replayed:
    """Take the chosen calls that wait, oldest first, as they would be taken if they came now, a hundred a transaction.

    Their times stay those at which they happened. Twice changes nothing; what is refused again waits on, with what it
    is refused for now. A dry run says what would become of them. Raises NotFound when `only` does not wait.
    """
    total = Replayed(last=after)
    while most is None or total.taken + total.refused < most:
        room = _A_CHUNK if most is None else min(_A_CHUNK, most - total.taken - total.refused)
        with conn.transaction() as attempt:
            calls = lock_set_aside(conn, chosen, only=only, after=total.last, most=room)
            for call in calls:
                total += _replay(conn, call, terms, ceilings, at)
            if dry_run:
                raise psycopg.Rollback(attempt)
        if len(calls) < room:
            break
    if only is not None and not total.taken + total.refused:
        raise NotFound(f"nothing that waits has the number {only}")
    return total


def _replay(conn: WriteConnection, call: SetAside, terms: Terms, ceilings: Ceilings, at: datetime) -> Replayed:
    refused = _take(conn, call, terms, ceilings, at)
    if refused is None:
        mark_replayed(conn, call, at=at)
        return Replayed(taken=1, last=call.quarantine_id)
    mark_refused_still(conn, call, refused)
    return Replayed(refused=1, last=call.quarantine_id)


def _take(conn: WriteConnection, call: SetAside, terms: Terms, ceilings: Ceilings, at: datetime) -> Refused | None:
    """Why it is refused now; None when it was taken. It came when it came first, so nothing of it is counted again."""
    source = require_source(conn, call.source_id)
    with conn.transaction() as attempt:
        taken = take_events(conn, source, _read(call), terms, at=max(call.first_at, at), ceilings=ceilings)
        if taken.refused:
            raise psycopg.Rollback(attempt)
    return taken.refused[0] if taken.refused else None


def _read(call: SetAside) -> Calls:
    event = read_event(call)
    if event is not None:
        return Calls((Heard(event, call.raw),))
    if len(call.raw) < call.size_bytes:
        return Calls((), (Refused(call.reason, call.detail, call.raw),))
    if call.call is not None:
        return decode_call(call.raw, Call(call.call), received_at=call.first_at)
    return decode_batch(b'{"batch":[' + call.raw + b"]}", received_at=call.first_at)
