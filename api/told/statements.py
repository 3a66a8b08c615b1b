"""What a person who sells earned in one month, as people are told."""

import re
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query

from api.models import MoneyOut, Out
from attribution.hold_nouns import HoldDecision
from attribution.nouns import Channel
from millpond.kernel.errors import InvalidInput

Month = Annotated[str | None, Query(description="YYYY-MM; without one, or empty: the store's month of now.")]
_MONTH = re.compile(r"(19[7-9]|20[0-9]|21[0-9])[0-9]-(0[1-9]|1[0-2])")


class StatementLineOut(Out):
    """One order with what it moved within the month.

    `held`: the commission waits for an operator's look; `decision` is what that came to.
    """

    order_id: str
    customer_id: str
    customer_name: str
    channel: Channel
    store_id: str | None
    placed_at: datetime
    amount: MoneyOut
    refunded: MoneyOut
    earned: MoneyOut
    clawed_back: MoneyOut
    released: MoneyOut
    held: bool
    decision: HoldDecision | None


class StatementTotalsOut(Out):
    """One currency's month, and what is pending and payable at its end."""

    currency: str
    orders: int
    earned: MoneyOut
    clawed_back: MoneyOut
    released: MoneyOut
    paid_out: MoneyOut
    pending: MoneyOut
    payable: MoneyOut


class StatementOut(Out):
    """A month, `[begins_at, ends_at)` in the time zone of the person's store: orders and the commission on them."""

    staff_id: str
    month: date
    time_zone: str
    begins_at: datetime
    ends_at: datetime
    lines: list[StatementLineOut]
    totals: list[StatementTotalsOut]


def parse_month(month: str | None, at: datetime, time_zone: str) -> date:
    """The first day of `YYYY-MM`, or of the month that `at` lies in there; InvalidInput for anything else."""
    if not month:
        return at.astimezone(ZoneInfo(time_zone)).date().replace(day=1)
    if not _MONTH.fullmatch(month):
        raise InvalidInput("month: write it as 2026-11")
    return date.fromisoformat(f"{month}-01")
