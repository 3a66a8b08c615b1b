"""The truth about shoppers, to hold what was learned against: who is who, what they like, what offers changed."""

from collections.abc import Iterator
from typing import Any

from simulators.shoppers.acts import Act, Deed
from simulators.shoppers.people import Shopper


def describe_shopper(shopper: Shopper) -> dict[str, Any]:
    """One person: all names that lead to them, and what is in their head."""
    names = shopper.names
    return {
        "truth": "person",
        "person": shopper.person,
        "household": shopper.household,
        "login": names.login,
        "anonymous_ids": [names.app, names.web],
        "shared_anonymous_id": names.tablet,
        "card": names.card,
        "email": names.email,
        "phone": names.phone,
        "messenger": names.messenger,
        "locale": shopper.locale,
        "country": shopper.country,
        "persona": shopper.persona,
        "budget": round(shopper.budget, 3),
        "lift": shopper.lift,
        "tastes": {category: round(share, 4) for category, share in shopper.tastes.items()},
        "cycle_days": {category: round(days, 1) for category, days in shopper.cycles.items()},
        "agrees": sorted(shopper.agrees),
    }


def describe_act(act: Act) -> Iterator[dict[str, Any]]:
    """What of an act nobody but the truth knows: whose an order is and why, and what an offer changed."""
    person = act.shopper.person
    if act.deed is Deed.ORDERED and act.order is not None:
        yield {
            "truth": "order",
            "order_id": act.order.order_id,
            "person": person,
            "at": act.at.isoformat(timespec="milliseconds"),
            "channel": act.channel,
            "store": act.order.store,
            "sku": act.order.article.sku,
            "paid_minor": act.order.paid_minor,
            "gift": act.order.gift,
            "because": act.order.because,
            "shows_card": act.order.shows_card,
            "signed_in": act.signed_in,
        }
    if act.deed is Deed.OFFERED and act.showing is not None:
        yield {
            "truth": "offer",
            "decision_id": act.showing.decision_id,
            "person": person,
            "sku": act.showing.article.sku,
            "shown": act.showing.shown,
            "buys_without": act.showing.buys_without,
            "buys_with": act.showing.buys_with,
            "effect": act.showing.effect,
        }
