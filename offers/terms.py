"""Prices and days of an offer, as every trigger computes them."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from millpond.kernel.money import Money


def reduced(list_price: Money, discount_bp: int) -> Money:
    """The list price less the discount, never less than one minor unit."""
    return Money(max(1, (list_price - list_price.share(discount_bp)).amount_minor), list_price.currency)


def midnight(at: datetime, time_zone: str) -> datetime:
    """When the customer's day that `at` lies in began: offers end at midnight, so that "by Friday" is all Friday."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(UTC)
