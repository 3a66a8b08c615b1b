"""A sale in any channel, and what it makes moot."""

from collections.abc import Sequence
from datetime import datetime

from attribution.hold_nouns import Ceilings
from attribution.nouns import Channel, Order, OrderItem, Told
from attribution.orders import record_sale
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId, StaffId, StoreId
from offers.life import withdraw_moot_offers

_CEILINGS = Ceilings()
_TOLD_NOTHING = Told()


def place_order(
    conn: WriteConnection,
    *,
    customer_id: CustomerId,
    channel: Channel,
    items: Sequence[OrderItem],
    currency: str,
    at: datetime,
    store_id: StoreId | None = None,
    sold_by: StaffId | None = None,
    told: Told = _TOLD_NOTHING,
    ceilings: Ceilings = _CEILINGS,
) -> Order:
    """Place an order, credit it, and withdraw the customer's offers it makes moot, in one transaction.

    Raises what `attribution.orders.record_sale` raises.
    """
    with conn.transaction():
        order = record_sale(
            conn,
            customer_id=customer_id,
            channel=channel,
            items=items,
            currency=currency,
            at=at,
            store_id=store_id,
            sold_by=sold_by,
            told=told,
            ceilings=ceilings,
        )
        # Placing it has locked the customer.
        withdraw_moot_offers(conn, [customer_id], at=at, actor=order.order_id)
        return order
