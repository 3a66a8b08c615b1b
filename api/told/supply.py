"""What a part will be replaced with: a unit at home, or one on its way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.reads.households import HouseholdPart, select_units_on_their_way
from attribution.nouns import Channel, Order
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId
from offers.nouns import Subject
from offers.store import select_facts
from offers.verdict import Thing


@dataclass(frozen=True, slots=True)
class Supply:
    """A unit for one part: on its way and there about `arrives_at`, or at home when that is None."""

    arrives_at: datetime | None


def find_supply(
    conn: ReadConnection, customer_id: CustomerId, part: HouseholdPart, *, delivery: timedelta, at: datetime
) -> Supply | None:
    """The unit that provides for `part`, by the rule by which offers are made; None when there is none.

    What is at home goes to the parts that are used up first, what is on its way to those after them.
    """
    thing = Thing(customer_id, Subject.of_part(part.device_id, part.installation_id), part.sku)
    (facts,) = select_facts(conn, [thing], at)
    if facts.spare < facts.rank:
        return None
    ordered = select_units_on_their_way(conn, customer_id, part.sku, since=at - delivery, at=at)
    if facts.rank <= facts.spare - ordered.units:
        return Supply(None)
    assert ordered.placed_at is not None  # Units on their way were ordered at some time.
    return Supply(ordered.placed_at + delivery)


def arrives_at(order: Order, *, delivery: timedelta, at: datetime) -> datetime | None:
    """About when what was ordered arrives; None when it is there, was bought in a shop, or was given back."""
    if order.channel is Channel.STORE or order.refunded == order.amount or order.placed_at + delivery <= at:
        return None
    return order.placed_at + delivery
