"""What a run of retention takes away, and that its dry run foretold it."""

from datetime import datetime

from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import load_settings
from millpond.retention import end_what_is_old


def retain(conn: WriteConnection, at: datetime, **settings: object) -> dict[str, int]:
    """Run retention as of `at`: how many rows of what went."""
    chosen = load_settings(**settings)
    foretold = end_what_is_old(conn, at, chosen, dry_run=True)
    gone = end_what_is_old(conn, at, chosen)
    # A run of forecasts is empty only once its forecasts have gone, and a dry run takes none away.
    runs = gone.deleted.get("forecast runs")
    assert gone.deleted == foretold.deleted | ({"forecast runs": runs} if runs else {})
    return gone.deleted
