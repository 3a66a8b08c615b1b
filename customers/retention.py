"""When what is kept of customers goes."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("customers.audit")
_IDENTITY = load_queries("customers.identity")


def customers_endings(settings: Settings) -> list[Ending]:
    """What goes of the audit log: its oldest entries, from the beginning on, so that the rest stays one chain.

    Of who was said to be whom and was not believed: what nobody has said again for long.
    """
    return [
        Ending("audit_entry", "audit entries", timedelta(days=settings.audit_keep_days), _Q["end_audit_entries"]),
        Ending(
            "refused_link", "refused links", timedelta(days=settings.refused_link_keep_days), _IDENTITY["end_refused"]
        ),
    ]
