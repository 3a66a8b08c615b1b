"""A person's time line: events, orders, offers, who is credited, consents, devices and merges in one order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId
from millpond.kernel.money import Money

_Q = load_queries("dam.person")
# After every kind and every reference, so that the first page begins with what is newest.
_LAST = "\U0010ffff"


class Kind(StrEnum):
    """Of which kind something on the line is."""

    EVENT = "event"
    ORDER = "order"
    REFUND = "refund"
    OFFER = "offer"
    BINDING = "binding"
    CONSENT = "consent"
    DEVICE = "device"
    MERGE = "merge"


FOR_STAFF = (Kind.ORDER, Kind.REFUND, Kind.OFFER, Kind.BINDING, Kind.DEVICE)
"""What the staff member who looks after somebody needs for that: not what else they did, said or agreed to."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on the line. `what` is its word, `about` a product, serial, purpose, staff member or store.

    `channel` is where it was done: a source's kind, an order's channel; None for what is done nowhere in particular.
    """

    at: datetime
    kind: Kind
    what: str
    channel: str | None
    about: str | None
    facts: dict[str, Any]
    ref: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))

    @property
    def amount(self) -> Money | None:
        """What an order or a refund is of."""
        minor = self.facts.get("amount_minor")
        return None if minor is None else Money(minor, self.facts["currency"])


Place = tuple[datetime, str, str]
"""Where a page of the line ended: time, kind and reference of its last moment."""


def select_timeline(
    conn: ReadConnection,
    customer_id: CustomerId,
    *,
    at: datetime,
    kinds: Collection[Kind] = tuple(Kind),
    before: Place | None = None,
    limit: int = 50,
) -> list[Moment]:
    """Up to `limit` moments of a person until `at`, the newest first, under all ids that are theirs now."""
    moment, kind, ref = before or (at, _LAST, _LAST)
    with conn.cursor(row_factory=class_row(Moment)) as cursor:
        values = {
            "customer_id": customer_id,
            "kinds": list(kinds),
            "at": moment,
            "kind": kind,
            "ref": ref,
            "limit": limit,
        }
        return cursor.execute(_Q["select_timeline"], values).fetchall()
