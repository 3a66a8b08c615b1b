"""Hours and days are brought up to date: what is over once, and again where readings came late."""

import time
from collections.abc import Callable
from datetime import datetime

from psycopg.errors import LockNotAvailable

from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.errors import Unavailable
from millpond.kernel.jobs import Claim, held

_Q = load_queries("devices.tiers")
_REFRESH_TRIES, _REFRESH_PAUSE_S = 300, 1.0


def refresh_tiers(
    conn: WriteConnection, *, tries: int = _REFRESH_TRIES, wait: Callable[[float], None] = time.sleep
) -> None:
    """Bring hours and days up to date with late data; must be called outside a transaction.

    Two refreshes cannot run at once, and the database may refresh now and then by itself: while another one is at
    work, this one tries again every second. Raises Unavailable after the last try.
    """
    roll_up(conn)
    for left in reversed(range(tries)):
        try:
            conn.execute(_Q["refresh_reading_day"])
            return
        except LockNotAvailable as error:
            if not left:
                raise Unavailable(
                    f"another refresh of the daily rollup is still at work after {tries} tries:"
                    " try again later, or look in pg_stat_activity for what it waits for"
                ) from error
        wait(_REFRESH_PAUSE_S)


def roll_up(conn: WriteConnection, *, before: datetime | None = None, claim: Claim | None = None) -> None:
    """Make hours and days of the readings of days that are over, and of those that may be dropped as of `before`.

    A month, or a thousand late days, in each transaction, so that it may be stopped and run again at any time. Where
    the database rolls up by itself there is nothing to do.
    """
    with held(conn, claim):
        conn.execute(_Q["advance_late_mark"], {"before": before})
    while _roll_up_some(conn, claim):
        pass


def _roll_up_some(conn: WriteConnection, claim: Claim | None) -> bool:
    with held(conn, claim):
        [(more,)] = conn.execute(_Q["roll_up_readings"])
    return bool(more)
