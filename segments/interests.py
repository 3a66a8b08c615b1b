"""What a customer is interested in, as tags that they may strike out.

A tag is a category. One that was struck out (`customers.tags.object_to_tag`) is not told from the very next call on,
and nothing is concluded from it again: no interest, segment or propensity of it counts for them.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId

_Q = load_queries("segments.facts")


@dataclass(frozen=True, slots=True)
class InterestTag:
    """A category, and how much what they did shows of an interest in it."""

    category: str
    interest: float


def select_interest_tags(conn: ReadConnection, customer_id: CustomerId, at: datetime) -> list[InterestTag]:
    """The tags of a person, by any of their ids, strongest first; none of who does not agree to be profiled at `at`."""
    with conn.cursor(row_factory=class_row(InterestTag)) as cursor:
        return cursor.execute(_Q["select_interests"], {"customer_id": customer_id, "at": at}).fetchall()
