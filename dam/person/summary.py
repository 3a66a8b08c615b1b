"""What is known of one person beside their time line: their names, what they spent, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, TypeVar

from psycopg.rows import class_row

from customers.nouns import Namespace
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId
from millpond.kernel.money import Money

_Q = load_queries("dam.person")
_NAMES_MAX = 100
_UNSAID = frozenset({Namespace.EMAIL, Namespace.PHONE})


@dataclass(frozen=True, slots=True)
class KnownName:
    """A name by which they are or were known, and what says that it is theirs."""

    namespace: str
    key: str
    valid_from: datetime
    valid_until: datetime | None
    because: str
    blocked_because: str | None

    @property
    def shown(self) -> str:
        """The name as people are shown it; of an e-mail or a phone nobody has more than its HMAC, which is no name."""
        return "" if self.namespace in _UNSAID else self.key


@dataclass(frozen=True, slots=True)
class Spending:
    """What they bought and gave back in one currency."""

    currency: str
    orders: int
    spent_minor: int
    refunded_minor: int
    first_at: datetime
    last_at: datetime

    @property
    def kept(self) -> Money:
        """What they paid and did not get back."""
        return Money(self.spent_minor - self.refunded_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Worth:
    """What their purchases of the next 365 days are expected to be worth; None where too few pay in their currency."""

    clv_minor: int | None
    currency: str
    p_alive: float
    expected_purchases: float
    at: datetime

    @property
    def clv(self) -> Money | None:
        """The same as money."""
        return None if self.clv_minor is None else Money(self.clv_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Person:
    """All of it; `worth` is None for who was not scored, or does not agree to be."""

    names: list[KnownName]
    spending: list[Spending]
    worth: Worth | None


_T = TypeVar("_T")


def read_person(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> Person:
    """What is known of a person at `at`, under all ids that are theirs now; at most 100 names, those in force first."""
    values = {"customer_id": customer_id, "at": at, "limit": _NAMES_MAX}
    worth = _select(conn, _Q["select_worth"], Worth, values)
    return Person(
        _select(conn, _Q["select_names"], KnownName, values),
        _select(conn, _Q["select_spending"], Spending, values),
        worth[0] if worth else None,
    )


def _select(conn: ReadConnection, query: LiteralString, row: type[_T], values: Mapping[str, Any]) -> list[_T]:
    with conn.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(query, values).fetchall()
