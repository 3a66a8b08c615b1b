"""What happens to an offer after it was issued."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from attribution.hold_nouns import Ceilings
from attribution.nouns import Channel, Order, OrderItem
from attribution.orders import record_sale
from customers.accounts import lock_customer
from millpond.kernel.db import WriteConnection, load_queries, refusing
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import CustomerId, DeviceId
from offers.decide import why_moot
from offers.issue import record_event
from offers.nouns import Acceptance, Offer, OfferState, ReasonCode, Trigger, Withdrawal
from offers.store import lock_offer, lock_unanswered_offers, select_facts

_Q = load_queries("offers")
_CEILINGS = Ceilings()
_UNANSWERED = (OfferState.OPEN, OfferState.SEEN)


def mark_seen(conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime) -> Offer:
    """The customer looked at it; an offer that is past `open` is returned as it is. NotFound for another's."""
    with conn.transaction():
        offer = _own_offer(conn, offer_id, customer_id)
        if offer.state is not OfferState.OPEN or offer.valid_until <= at:
            return offer
        return _move(conn, offer, OfferState.SEEN, at=at, actor=customer_id)


def accept_offer(
    conn: WriteConnection,
    offer_id: str,
    *,
    customer_id: CustomerId,
    at: datetime,
    channel: Channel = Channel.APP,
    ceilings: Ceilings = _CEILINGS,
) -> Acceptance:
    """Order what was offered at its price, credited to the binding in force now, in one transaction.

    Raises NotFound (another's offer), Conflict (answered already, withdrawn, or expired).
    """
    with conn.transaction():
        offer = _own_unanswered_offer(conn, offer_id, customer_id, at)
        accepted = _move(conn, offer, OfferState.ACCEPTED, at=at, actor=customer_id)
        order = _order(conn, accepted, channel, ceilings, at)
        ordered = _move(conn, accepted, OfferState.ORDERED, at=at, actor=order.order_id)
        withdraw_moot_offers(conn, customer_id, at=at, actor=order.order_id)
        return Acceptance(ordered, order)


def decline_offer(conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime) -> Offer:
    """Say no for good. Raises NotFound (another's offer), Conflict (answered already, withdrawn, or expired)."""
    with conn.transaction():
        offer = _own_unanswered_offer(conn, offer_id, customer_id, at)
        return _move(conn, offer, OfferState.DECLINED, at=at, actor=customer_id)


def expire_offers(conn: WriteConnection, at: datetime) -> int:
    """End all offers whose time has passed; how many."""
    return conn.execute(_Q["expire_offers"], {"at": at}).rowcount


def withdraw_moot_offers(conn: WriteConnection, customer_id: CustomerId, *, at: datetime, actor: str) -> int:
    """Take back the customer's open offers that an order or a replacement made moot; how many.

    In the caller's transaction, which has locked the customer.
    """
    withdrawn = 0
    for offer in lock_unanswered_offers(conn, customer_id):
        why = _why_moot(conn, offer, at)
        if why is not None:
            _move(conn, offer, OfferState.WITHDRAWN, at=at, actor=actor, reason=why)
            withdrawn += 1
    return withdrawn


def withdraw_offers_of_device(
    conn: WriteConnection, customer_id: CustomerId, device_id: DeviceId, *, at: datetime, actor: str
) -> int:
    """Take back what a customer was offered for a device that is not theirs any more; how many.

    In the caller's transaction, which has locked the customer.
    """
    gone = [offer for offer in lock_unanswered_offers(conn, customer_id) if offer.device_id == device_id]
    for offer in gone:
        _move(conn, offer, OfferState.WITHDRAWN, at=at, actor=actor, reason=Withdrawal.OWNER_CHANGED)
    return len(gone)


def _why_moot(conn: WriteConnection, offer: Offer, at: datetime) -> Withdrawal | None:
    trigger = Trigger.DEPLETION if offer.reason_code is ReasonCode.DEPLETION else Trigger.NEW_DEVICE
    return why_moot(select_facts(conn, offer, offer.customer_id, at), trigger)


def _own_offer(conn: WriteConnection, offer_id: str, customer_id: CustomerId) -> Offer:
    """The customer's offer, locked; the customer first, as everything that touches a household does."""
    lock_customer(conn, customer_id)
    offer = lock_offer(conn, offer_id)
    if offer is None or offer.customer_id != customer_id:
        raise NotFound(f"offer {offer_id} is not known")
    return offer


def _own_unanswered_offer(conn: WriteConnection, offer_id: str, customer_id: CustomerId, at: datetime) -> Offer:
    offer = _own_offer(conn, offer_id, customer_id)
    if offer.state not in _UNANSWERED:
        raise Conflict(f"this offer was already {offer.state}")
    if offer.valid_until <= at:
        raise Conflict("this offer has expired")
    return offer


def _order(conn: WriteConnection, offer: Offer, channel: Channel, ceilings: Ceilings, at: datetime) -> Order:
    return record_sale(
        conn,
        customer_id=offer.customer_id,
        channel=channel,
        items=[OrderItem(offer.sku, 1, offer.price)],
        currency=offer.price.currency,
        offer_id=offer.offer_id,
        ceilings=ceilings,
        at=at,
    )


def _move(
    conn: WriteConnection,
    offer: Offer,
    state: OfferState,
    *,
    at: datetime,
    actor: str,
    reason: Withdrawal | None = None,
) -> Offer:
    with refusing(conn, {"offer_event_once": partial(Conflict, f"this offer was already {state}")}):
        conn.execute(_Q["update_offer_state"], {"offer_id": offer.offer_id, "state": state})
        record_event(conn, offer.offer_id, state, at=at, actor=actor, reason=reason)
    return replace(offer, state=state)
