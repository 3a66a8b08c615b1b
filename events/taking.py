"""Taking calls in: what is stored of them, what is set aside, and what follows from those that are new."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from customers.identity.linking import link_identities, lock_identifiers
from events.claims import claims_of, trust_in
from events.figures import count_taken
from events.nouns import Call, Calls, Event, Heard, Refused, Source, Stored, Taken
from events.quarantine.store import note_unknown_events, set_aside
from events.store import note_named, store_events, without_erased
from events.terms import Terms
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import MillpondError

Acts = Mapping[str, Callable[[Event], None]]
"""What must be done together with storing a track call of a name; an error of ours sets the call aside instead."""

_NOTHING: Acts = MappingProxyType({})


def take_behaviour(
    conn: WriteConnection, source: Source, calls: Calls, terms: Terms, *, at: datetime, acts: Acts = _NOTHING
) -> Taken:
    """Take calls in the caller's transaction: store what the plan allows, do its `acts`, set aside what is refused.

    What came before is not taken again, so the same body may come any number of times.
    """
    plain, acting, violating = _sort(calls.heard, terms, acts)
    if acting:
        # What follows locks customers one by one, so two such batches first agree on who goes first.
        events = without_erased(conn, [heard.event for heard in (*plain, *acting)])
        lock_identifiers(conn, note_named(conn, events, at=at).values())
    stored = store_events(conn, source, [heard.event for heard in plain], at=at)
    _link(conn, source, stored, terms, at)
    failed, acted = list[Refused](), Stored((), 0)
    for heard in acting:
        try:
            acted += _act(conn, source, heard.event, acts, at)
        except MillpondError as error:
            failed.append(Refused("no_order", str(error), heard.raw, heard.event))
    _link(conn, source, acted, terms, at)
    stored += acted
    taken = Taken(stored, (*calls.refused, *violating, *failed))
    set_aside(conn, source, taken.refused, at=at, per_day_max=terms.set_aside_per_day_max)
    note_unknown_events(conn, source, [event for event in stored.new if not terms.plan.knows(event)], at=at)
    count_taken(conn, source, taken, at=at)
    return taken


def _link(conn: WriteConnection, source: Source, stored: Stored, terms: Terms, at: datetime) -> None:
    """What new calls say of who somebody is becomes links, as far as their source is believed."""
    if stored.new:
        claims = claims_of(conn, source, stored.new, terms.hashing)
        link_identities(conn, claims, trust=trust_in(source), at=at, limits=terms.limits)


def _sort(heard: Sequence[Heard], terms: Terms, acts: Acts) -> tuple[list[Heard], list[Heard], list[Refused]]:
    """What is only stored, what is acted on in the order in which customers are locked, and what violates the plan."""
    plain, acting, violating = list[Heard](), list[Heard](), list[Refused]()
    for each in heard:
        event = each.event
        why = terms.plan.judge(event)
        if why is not None:
            violating.append(Refused("against_plan", f"{event.name}: {why}", each.raw, event))
        elif event.call is Call.TRACK and event.name in acts:
            acting.append(each)
        else:
            plain.append(each)
    return plain, sorted(acting, key=lambda each: each.event.login or ""), violating


def _act(conn: WriteConnection, source: Source, event: Event, acts: Acts, at: datetime) -> Stored:
    with conn.transaction():
        stored = store_events(conn, source, [event], at=at)
        for new in stored.new:
            acts[new.name](new)
        return stored
