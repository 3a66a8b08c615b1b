"""Taking events in with all that follows from them: the one door for HTTP, files and replays."""

from datetime import datetime

from attribution.hold_nouns import Ceilings
from events.nouns import Calls, Source, Taken
from events.taking import take_behaviour
from events.terms import Terms
from millpond.kernel.db import WriteConnection
from offers.taking.acting import order_acts

_CEILINGS = Ceilings()


def take_events(
    conn: WriteConnection, source: Source, calls: Calls, terms: Terms, *, at: datetime, ceilings: Ceilings = _CEILINGS
) -> Taken:
    """Take calls in the caller's transaction: stored, linked and, where the source may, made into orders.

    Either all of it is committed or none. What is new alone has consequences: a call that comes again has none.
    """
    return take_behaviour(conn, source, calls, terms, at=at, acts=order_acts(conn, source, ceilings, at))
