"""When the rows of credentials go."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("devices.credentials")


def credential_endings(settings: Settings) -> list[Ending]:
    """What goes of credentials that ended, and of proofs that nobody can use any more."""
    kept = timedelta(days=settings.credential_keep_days)
    return [
        Ending("device_credential", "credentials that ended", kept, _Q["end_ended_credentials"]),
        Ending("line_proof", "proofs of lines whose key ended", kept, _Q["end_line_proofs"]),
    ]
