"""What a shop's till writes down in a day: sales and returns, with a card where one was shown."""

import csv
from collections.abc import Iterable
from typing import TextIO

from millpond.kernel.money import Money
from simulators.shoppers.acts import Act, Deed
from simulators.shoppers.people import Channel

COLUMNS = (
    "store",
    "till",
    "receipt",
    "at",
    "kind",
    "sku",
    "quantity",
    "amount",
    "currency",
    "card",
    "original_receipt",
)


def is_at_till(act: Act) -> bool:
    """Whether a till tells of it."""
    return act.channel is Channel.STORE and act.deed in (Deed.ORDERED, Deed.RETURNED)


def write_till(out: TextIO, acts: Iterable[Act], stores: dict[str, str]) -> int:
    """Write the lines of a till's file; `stores` has the platform's id of each simulated shop. Returns how many."""
    written = 0
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for act in acts:
        writer.writerow(_line(act, stores))
        written += 1
    return written


def _line(act: Act, stores: dict[str, str]) -> tuple[str, ...]:
    order = act.order
    assert order is not None
    assert order.store is not None
    returned = act.deed is Deed.RETURNED
    card = act.shopper.names.card if order.shows_card else None
    return (
        stores.get(order.store, order.store),
        "1",
        f"{order.order_id}-return" if returned else order.order_id,
        act.at.isoformat(timespec="seconds"),
        "return" if returned else "sale",
        order.article.sku,
        str(order.quantity),
        str(Money(order.paid_minor, order.article.currency).to_decimal()),
        order.article.currency,
        card or "",
        order.order_id if returned else "",
    )
