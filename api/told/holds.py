"""Commission that waits for an operator, as people are told."""

from datetime import datetime

from api.models import MoneyOut, Out
from attribution.hold_nouns import HoldDecision, HoldReason


class HoldOut(Out):
    """Commission of one order that is not released unseen: the seller's own, or beyond a ceiling.

    `earned` is what the order earned, before any refund; `decision` is null while it waits.
    """

    order_id: str
    reason: HoldReason
    held_at: datetime
    customer_id: str
    store_id: str | None
    sold_by: str | None
    credited_to: str
    credited_name: str
    amount: MoneyOut
    earned: MoneyOut
    decision: HoldDecision | None
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
