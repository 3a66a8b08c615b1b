"""Taking events in with all that follows from them: the one door for HTTP, files and tills."""

from datetime import datetime

from events.nouns import Calls, Source, Taken
from events.taking import take_behaviour
from millpond.kernel.db import WriteConnection


def take_events(conn: WriteConnection, source: Source, calls: Calls, *, at: datetime) -> Taken:
    """Take calls in the caller's transaction: stored, linked and, where the source may, made into orders.

    Either all of it is committed or none. What is new alone has consequences: a call that comes again has none.
    """
    return take_behaviour(conn, source, calls, at=at)
