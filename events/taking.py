"""Taking calls in: what is stored of them, what is set aside, and what follows from those that are new."""

from datetime import datetime

from events.figures import count_taken
from events.nouns import Calls, Source, Taken
from events.store import store_events
from millpond.kernel.db import WriteConnection


def take_behaviour(conn: WriteConnection, source: Source, calls: Calls, *, at: datetime) -> Taken:
    """Take calls as behaviour: they are stored in the caller's transaction, and no order is ever made of them.

    What came before is not taken again, so the same body may come any number of times.
    """
    stored = store_events(conn, source, [heard.event for heard in calls.heard], at=at)
    taken = Taken(stored, calls.refused)
    count_taken(conn, source, taken, at=at)
    return taken
