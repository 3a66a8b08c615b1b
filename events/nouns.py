"""Events and who sends them, as the other packages see them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from customers.nouns import Namespace

SourceId = NewType("SourceId", int)
EventId = NewType("EventId", int)


class SourceKind(StrEnum):
    """Where a source's clients run. Keys of `web` and `app` are in the hands of everybody who opens them."""

    WEB = "web"
    APP = "app"
    SERVER = "server"
    POS = "pos"
    STORE = "store"


class Scope(StrEnum):
    """What a source may do besides telling what happened (`events`).

    `identify`: say who somebody is, which links identifiers. `orders`: its `Order Completed` makes an order.
    """

    EVENTS = "events"
    IDENTIFY = "identify"
    ORDERS = "orders"


class Call(StrEnum):
    """The calls of Segment's tracking API."""

    TRACK = "track"
    IDENTIFY = "identify"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends events: a site, an app, a server, a till, a shop.

    `origins` are the pages that may send for it, as browsers name them (https://shop.example); none of them: any page.
    """

    source_id: SourceId
    name: str
    kind: SourceKind
    scopes: frozenset[Scope]
    created_at: datetime
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One call as its client made it, checked; `happened_at` is corrected by the client's own clock.

    `login` is its `userId`, the brand's own key of a customer. `previous_id` is whom an alias call says that they were.
    `properties` (of identify and group: `traits`) and `context` are JSON texts of objects, without what is personal.
    `claims` is what an identify call says that its person is also known by (e-mail, phone, …), as it was written: it is
    stored nowhere, and kept out of logs.
    """

    message_id: str
    call: Call
    name: str
    happened_at: datetime
    login: str | None
    anonymous_id: str | None
    previous_id: str | None
    session_id: str | None
    sku: str | None
    properties: str
    context: str
    claims: tuple[tuple[Namespace, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that cannot be taken: a word for why, a sentence that quotes none of it, and its bytes.

    `event` is how it was read, where it could be; `call` which call it was, where the address and not the body says so.
    """

    reason: str
    detail: str
    raw: bytes = field(repr=False)
    event: Event | None = field(default=None, repr=False)
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that can be taken, and its bytes, for the case that the tracking plan sets it aside."""

    event: Event
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Calls:
    """What a body said, in its order: the calls that can be taken, and those that cannot."""

    heard: tuple[Heard, ...]
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: the events that are new, in its order, and how many had come before.

    `erased` are those of people who were erased after they happened: nothing of them is kept.
    """

    new: tuple[Event, ...]
    repeated: int
    erased: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(self.new + other.new, self.repeated + other.repeated)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of calls: what was stored, and what was set aside with its reason."""

    stored: Stored
    refused: tuple[Refused, ...]
