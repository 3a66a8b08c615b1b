"""What happens to an offer after it was issued."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from attribution.hold_nouns import Ceilings
from attribution.nouns import Channel, Order, OrderItem
from attribution.orders import record_sale
from customers.accounts import lock_customer
from customers.consent import consents_in_force
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import CustomerId, DeviceId
from offers.nouns import UNANSWERED, Acceptance, Offer, OfferState, Withdrawal
from offers.store import lock_offer, lock_unanswered_offers, select_facts, select_owned_devices
from offers.triggers.union import needs_of, why_moot
from offers.verdict import Thing
from offers.writes import move_offers

_CEILINGS = Ceilings()


def mark_seen(conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime) -> Offer:
    """The customer looked at it; an offer that is past `open` is returned as it is.

    Raises NotFound for another's, and for an open one that the customer does not agree to be shown any more.
    """
    with conn.transaction():
        offer = _own_offer(conn, offer_id, customer_id)
        held = consents_in_force(conn, [customer_id], at)[customer_id]
        if offer.state in UNANSWERED and not needs_of(offer.reason_code) <= held:
            raise NotFound(f"offer {offer_id} is not known")
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
        withdraw_moot_offers(conn, [customer_id], at=at, actor=order.order_id)
        return Acceptance(ordered, order)


def decline_offer(conn: WriteConnection, offer_id: str, *, customer_id: CustomerId, at: datetime) -> Offer:
    """Say no for good. Raises NotFound (another's offer), Conflict (answered already, withdrawn, or expired)."""
    with conn.transaction():
        offer = _own_unanswered_offer(conn, offer_id, customer_id, at)
        return _move(conn, offer, OfferState.DECLINED, at=at, actor=customer_id)


def withdraw_moot_offers(conn: WriteConnection, customer_ids: Sequence[CustomerId], *, at: datetime, actor: str) -> int:
    """Take back those open offers of some customers that have lost their point; how many.

    In the caller's transaction, which has locked the customers.
    """
    offers = lock_unanswered_offers(conn, customer_ids)
    things = [Thing(offer.customer_id, offer.subject, offer.sku) for offer in offers]
    if not offers:
        return 0
    consents = consents_in_force(conn, customer_ids, at)
    reasons = {
        offer.offer_id: why_moot(offer.reason_code, facts, consents[offer.customer_id])
        for offer, facts in zip(offers, select_facts(conn, things, at), strict=True)
    }
    moot = {offer_id: reason for offer_id, reason in reasons.items() if reason is not None}
    move_offers(conn, moot, OfferState.WITHDRAWN, at=at, actor=actor)
    return len(moot)


def withdraw_offers_of_device(
    conn: WriteConnection, customer_id: CustomerId, device_id: DeviceId, *, at: datetime, actor: str
) -> int:
    """Take back what a customer was offered for a device that is not theirs any more; how many.

    In the caller's transaction, which has locked the customer.
    """
    offers = lock_unanswered_offers(conn, [customer_id])
    gone = [offer.offer_id for offer in offers if offer.subject.device_id == device_id]
    move_offers(conn, dict.fromkeys(gone, Withdrawal.OWNER_CHANGED), OfferState.WITHDRAWN, at=at, actor=actor)
    return len(gone)


def withdraw_parted_offers(
    conn: WriteConnection, customer_ids: Sequence[CustomerId], *, at: datetime, actor: str
) -> int:
    """Take back what customers who were one person, and are not any more, were offered for each other's devices.

    In the caller's transaction, which has undone their merge and so locked them; how many.
    """
    offers = lock_unanswered_offers(conn, customer_ids)
    theirs = select_owned_devices(conn, offers)
    gone = [offer.offer_id for offer in offers if (offer.customer_id, offer.subject.device_id) not in theirs]
    move_offers(conn, dict.fromkeys(gone, Withdrawal.OWNER_CHANGED), OfferState.WITHDRAWN, at=at, actor=actor)
    return len(gone)


def _own_offer(conn: WriteConnection, offer_id: str, customer_id: CustomerId) -> Offer:
    """The customer's offer, locked; the customer first, as everything that touches a household does."""
    lock_customer(conn, customer_id)
    offer = lock_offer(conn, offer_id)
    if offer is None or offer.customer_id != customer_id:
        raise NotFound(f"offer {offer_id} is not known")
    return offer


def _own_unanswered_offer(conn: WriteConnection, offer_id: str, customer_id: CustomerId, at: datetime) -> Offer:
    offer = _own_offer(conn, offer_id, customer_id)
    if offer.state not in UNANSWERED:
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


def _move(conn: WriteConnection, offer: Offer, state: OfferState, *, at: datetime, actor: str) -> Offer:
    move_offers(conn, {offer.offer_id: None}, state, at=at, actor=actor)
    return replace(offer, state=state)
