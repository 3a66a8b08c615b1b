"""Who may be modelled: customers who agree to be profiled, a page or a sample of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import compress

import numpy as np

from millpond.kernel.arrays import Bools
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId

_Q = load_queries("segments.models")


@dataclass(frozen=True, slots=True)
class People:
    """Customers whose consent to `personalisation` holds, and of each whether that to `device_profiling` does too.

    A page of them lies after the id `after` up to and with `last`; None in the last page, which has no upper end.
    """

    ids: list[CustomerId]
    devices: Bools
    after: str = ""
    last: str | None = None

    def __len__(self) -> int:
        return len(self.ids)


def select_pages(conn: ReadConnection, at: datetime, *, asked_at: datetime, size: int) -> Iterator[People]:
    """All whom we had by `at`, `size` customers a page; consent is asked for at `asked_at`, page by page."""
    after = ""
    while True:
        values = {"at": at, "asked_at": asked_at, "after": after, "limit": size}
        rows = conn.execute(_Q["select_population"], values).fetchall()
        last = rows[-1][0] if len(rows) == size else None
        yield _people(rows, after, last)
        if last is None:
            return
        after = last


def count_population(conn: ReadConnection, at: datetime) -> int:
    """How many customers we had by `at`, whether they agree or not."""
    row = conn.execute(_Q["count_population"], {"at": at}).fetchone()
    assert row is not None
    return int(row[0])


def select_sample(conn: ReadConnection, at: datetime, *, asked_at: datetime, size: int) -> People:
    """At most `size` of them: the same ones each time."""
    rows = conn.execute(_Q["select_sample"], {"at": at, "asked_at": asked_at, "limit": size}).fetchall()
    return _people(rows, "", None)


def _people(rows: list[tuple[CustomerId, bool, bool]], after: str, last: str | None) -> People:
    agreed = [behaviour for _, behaviour, _ in rows]
    ids = list(compress((customer_id for customer_id, _, _ in rows), agreed))
    devices = compress((devices for _, _, devices in rows), agreed)
    return People(ids, np.fromiter(devices, dtype=np.bool_, count=len(ids)), after, last)
