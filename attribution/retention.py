"""When what is kept of scanned codes goes; bindings, orders and the ledger stay."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("attribution")


def attribution_endings(settings: Settings) -> list[Ending]:
    """What goes of scans and of spent codes; a spent code is known for longer than a code on a screen is good for."""
    spent = timedelta(days=settings.spent_code_keep_days)
    life = timedelta(seconds=settings.screen_code_s)
    return [
        Ending("scan", "scans", timedelta(days=settings.scan_keep_days), _Q["end_scans"]),
        Ending("spent_nonce", "spent codes", spent and max(spent, 2 * life), _Q["end_spent_nonces"]),
    ]
