"""What happens to an offer after it was issued."""

from datetime import datetime

from attribution.nouns import Channel
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from offers.nouns import Acceptance, Offer


def mark_seen(conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime) -> Offer:
    """The customer looked at it; an offer that is past `open` is returned as it is. NotFound for another's."""
    raise NotImplementedError


def accept_offer(
    conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime, channel: Channel = Channel.APP
) -> Acceptance:
    """Order what was offered at its price, credited to the binding in force now, in one transaction.

    Raises NotFound (another's offer), Conflict (answered already, withdrawn, or expired).
    """
    raise NotImplementedError


def decline_offer(conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime) -> Offer:
    """Say no for good. Raises NotFound (another's offer), Conflict (answered already, withdrawn, or expired)."""
    raise NotImplementedError


def expire_offers(conn: WriteConnection, at: datetime) -> int:
    """End all offers whose time has passed; how many."""
    raise NotImplementedError


def withdraw_moot_offers(conn: WriteConnection, customer_id: CustomerId, *, at: datetime, actor: str) -> int:
    """Take back the customer's open offers that an order or a replacement made moot; how many. In the caller's transaction."""
    raise NotImplementedError
