"""What the report says."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Flow(StrEnum):
    """What flows into the dam."""

    ORDERS = "orders"
    EVENTS = "events"
    DEVICES = "devices"
    CONVERSATIONS = "conversations"


@dataclass(frozen=True, slots=True)
class Share:
    """How many of one place are there, and how many of them are tied to a known customer.

    `channel` is a way in: app, web, store, or the kind of a source; `place` a shop, a source, or a model of devices.
    """

    flow: Flow
    channel: str
    place: str
    total: int
    known: int

    @property
    def lost(self) -> int:
        """How many are tied to nobody."""
        return self.total - self.known


@dataclass(frozen=True, slots=True)
class Day:
    """The events that came on one day (UTC): of known customers, and of nobody known."""

    day: date
    known: int
    lost: int


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source over the window.

    `newest_at` is when it was last heard of, None for never in the window. `late` came more than an hour after it
    happened, `incomplete` lacks what its name asks for (a product event its SKU, an order its id, currency or
    products), `orders` are those it told of first, `orders_again` how often these were told once more, under another
    message id. `repeated` calls came again under the same one and counted once, `set_aside` ones could not be taken.
    """

    source: str
    kind: str
    events: int
    newest_at: datetime | None
    late: int
    incomplete: int
    orders: int
    orders_again: int
    repeated: int
    set_aside: int


class LeakCode(StrEnum):
    """Where knowledge is lost."""

    TILL_ORDERS = "till_orders"
    GUEST_ORDERS = "guest_orders"
    STRANGERS = "strangers"
    NAMELESS = "nameless"
    DEVICES = "devices"
    SILENT = "silent"
    SET_ASIDE = "set_aside"
    LATE = "late"
    INCOMPLETE = "incomplete"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Leak:
    """One leak: `lost` of `total` in a channel, or at a place of it."""

    code: LeakCode
    channel: str
    place: str
    lost: int
    total: int

    @property
    def share_pct(self) -> float:
        """How much of it is lost."""
        return 100 * self.lost / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class DamReport:
    """All of it, as it was known at `at`, of what came from `since` on; the largest leaks first."""

    at: datetime
    since: datetime
    shares: list[Share]
    days: list[Day]
    sources: list[SourceHealth]
    leaks: list[Leak]

    def of(self, flow: Flow) -> list[Share]:
        """The places of one flow, those with most first."""
        return [share for share in self.shares if share.flow is flow]

    def untold(self) -> list[Flow]:
        """The flows of which nothing comes in at all."""
        return [flow for flow in Flow if not self.of(flow)]

    def total(self, flow: Flow) -> Share:
        """All places of one flow together."""
        places = self.of(flow)
        return Share(flow, "", "", sum(place.total for place in places), sum(place.known for place in places))
