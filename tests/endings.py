"""What a run of retention takes away, and that its dry run foretold it."""

from datetime import datetime

from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import load_settings
from millpond.retention import end_what_is_old

# They go when the last that belongs to them has gone, which a dry run takes from none. Hours and days are made in a run
# too, and go at once when they are old.
_GO_WITH_THE_LAST = ("forecast runs", "quarantined messages", "hours of readings", "days of readings", "days of states")


def retain(conn: WriteConnection, at: datetime, **settings: object) -> dict[str, int]:
    """Run retention as of `at`: how many rows of what went."""
    chosen = load_settings(**settings)
    foretold = dict(end_what_is_old(conn, at, chosen, dry_run=True).deleted)
    gone = end_what_is_old(conn, at, chosen).deleted
    for what in _GO_WITH_THE_LAST:
        assert foretold.pop(what, 0) <= gone.get(what, 0)
    assert foretold == {what: rows for what, rows in gone.items() if what not in _GO_WITH_THE_LAST}
    return gone
