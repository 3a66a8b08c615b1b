"""When what is kept of customers goes."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("customers.personal")
_AUDIT, _IDENTITY = load_queries("customers.audit"), load_queries("customers.identity")


def customers_endings(settings: Settings) -> list[Ending]:
    """What goes of the audit log: its oldest entries, from the beginning on, so that the rest stays one chain.

    Of who was erased: what keeps late events out. Of who was said to be whom and was not believed: what nobody has said
    again for long.
    """
    audit = timedelta(days=settings.audit_keep_days)
    erased = timedelta(days=settings.erased_keep_days)
    refused = timedelta(days=settings.refused_link_keep_days)
    return [
        Ending("audit_entry", "audit entries", audit, _AUDIT["end_audit_entries"]),
        Ending("erased_identifier", "hashes of erased identifiers", erased, _Q["end_erased_identifiers"]),
        Ending("refused_link", "refused links", refused, _IDENTITY["end_refused"]),
    ]
