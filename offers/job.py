"""The offers job."""

from collections.abc import Callable
from datetime import datetime

from millpond.kernel.db import WriteConnection
from millpond.kernel.jobs import Claim
from offers.nouns import LeadTime, OfferSummary


def issue_due_offers(
    conn: WriteConnection,
    at: datetime,
    *,
    lead: LeadTime,
    discount_bp: int,
    new_device_days: int,
    claim: Claim | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> OfferSummary:
    """Decide every due candidate, one transaction each; `on_progress` hears (done, of). Raises LeaseLost."""
    raise NotImplementedError
