"""One function, one statement: offers and decisions."""

from collections.abc import Sequence
from datetime import datetime

from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId, OfferId
from offers.nouns import Decision, Offer, OfferEvent, OfferState


def select_offer(conn: ReadConnection, offer_id: str) -> Offer | None:
    """The offer with this id."""
    raise NotImplementedError


def select_offers(
    conn: ReadConnection,
    *,
    customer_id: CustomerId | None = None,
    states: Sequence[OfferState] | None = None,
    before: tuple[datetime, OfferId] | None = None,
    limit: int = 50,
) -> list[Offer]:
    """Up to `limit` offers, newest first, of one customer or all, that come after `before` (issued_at, offer_id)."""
    raise NotImplementedError


def select_open_offers(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> list[Offer]:
    """The customer's offers that can be accepted at that moment, the most urgent first."""
    raise NotImplementedError


def select_offer_events(conn: ReadConnection, offer_id: str) -> list[OfferEvent]:
    """The steps of an offer's life, oldest first."""
    raise NotImplementedError


def select_offer_counts(conn: ReadConnection) -> dict[OfferState, int]:
    """How many offers are in each state."""
    raise NotImplementedError


def select_decision(conn: ReadConnection, decision_id: str) -> Decision | None:
    """The decision with this id."""
    raise NotImplementedError


def select_decisions(conn: ReadConnection, customer_id: CustomerId, *, limit: int = 50) -> list[Decision]:
    """A customer's newest decisions, newest first."""
    raise NotImplementedError
