"""The report put together from what is stored; it writes nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psycopg.rows import class_row

from dam.report.days import DayOfSource, begin_of_window, read_days
from dam.report.leaks import find_leaks
from dam.report.nouns import DamReport, Day, Flow, Share, SourceHealth
from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("dam.report")
MOST_DAYS = 90
"""The longest window: what it costs grows with the events in it."""
_CHANNELS = {"pos": "store"}


@dataclass(frozen=True, slots=True)
class _ToldOrders:
    """Orders that one source told of, in one shop: how many, of how many nobody is known, how many came again."""

    source: str
    kind: str
    store: str
    orders: int
    lost: int
    again: int


def read_report(conn: ReadConnection, at: datetime, *, window: timedelta) -> DamReport:
    """The report as of `at`, of what came since the beginning of the window's first day, by the links known then."""
    since = begin_of_window(at, window)
    with conn.transaction():
        conn.execute(_Q["spare_for_columns"])
        days = read_days(conn, at, window=window)
        told = _select_told_orders(conn, since, at)
        shares = [*_order_shares(conn, since, at, told), *_event_shares(days), *_device_shares(conn, at)]
        sources = _healths(conn, since, at, days, told)
    leaks = find_leaks(shares, sources, _nameless(days), at)
    return DamReport(at, since, shares, _totals_of_days(days), sources, leaks)


def _select_told_orders(conn: ReadConnection, since: datetime, at: datetime) -> list[_ToldOrders]:
    with conn.cursor(row_factory=class_row(_ToldOrders)) as cursor:
        return cursor.execute(_Q["select_told_orders"], {"since": since, "at": at}).fetchall()


def _order_shares(conn: ReadConnection, since: datetime, at: datetime, told: Sequence[_ToldOrders]) -> list[Share]:
    """Orders of the books, which have their customer; and beside them those told of that are nobody's."""
    known: Counter[tuple[str, str]] = Counter()
    for channel, store, orders in conn.execute(_Q["select_booked_orders"], {"since": since, "at": at}):
        known[channel, store] += orders
    lost: Counter[tuple[str, str]] = Counter()
    for row in told:
        lost[_place_of(row)] += row.lost
    places = sorted({*known, *lost})
    shares = [Share(Flow.ORDERS, *place, known[place] + lost[place], known[place]) for place in places]
    return _largest_first(share for share in shares if share.total)


def _place_of(row: _ToldOrders) -> tuple[str, str]:
    """A shop where one is named; a till without one is a place of its own; an app or a site is its channel."""
    channel = _CHANNELS.get(row.kind, row.kind)
    return channel, row.store or (row.source if channel in ("store", "server") else "")


def _event_shares(days: Sequence[DayOfSource]) -> list[Share]:
    return _largest_first(
        Share(Flow.EVENTS, kind, source, sum(row.events for row in rows), sum(row.known for row in rows))
        for (source, kind), rows in _by_source(days).items()
    )


def _nameless(days: Sequence[DayOfSource]) -> list[Share]:
    return [
        Share(
            Flow.EVENTS, kind, source, sum(row.events for row in rows), sum(row.events - row.nameless for row in rows)
        )
        for (source, kind), rows in _by_source(days).items()
    ]


def _by_source(days: Sequence[DayOfSource]) -> dict[tuple[str, str], list[DayOfSource]]:
    by_source: dict[tuple[str, str], list[DayOfSource]] = {}
    for row in days:
        by_source.setdefault((row.source, row.kind), []).append(row)
    return by_source


def _device_shares(conn: ReadConnection, at: datetime) -> list[Share]:
    rows = conn.execute(_Q["select_device_shares"], {"at": at})
    return [Share(Flow.DEVICES, "", model, devices, owned) for model, devices, owned in rows]


def _healths(
    conn: ReadConnection, since: datetime, at: datetime, days: Sequence[DayOfSource], told: Sequence[_ToldOrders]
) -> list[SourceHealth]:
    """Every source that there was, also one of which nothing came."""
    by_source = _by_source(days)
    arrivals = {row[0]: row[1:] for row in conn.execute(_Q["select_arrivals"], {"since": since, "at": at})}
    healths = []
    for source, kind in conn.execute(_Q["select_sources"], {"at": at}):
        rows = by_source.get((source, kind), [])
        orders = [row for row in told if row.source == source]
        healths.append(
            SourceHealth(
                source,
                kind,
                events=sum(row.events for row in rows),
                newest_at=max((row.newest_at for row in rows if row.newest_at), default=None),
                late=sum(row.late for row in rows),
                incomplete=sum(row.incomplete for row in rows),
                orders=sum(row.orders for row in orders),
                orders_again=sum(row.again for row in orders),
                repeated=arrivals[source][0],
                set_aside=arrivals[source][1],
            )
        )
    return healths


def _totals_of_days(days: Sequence[DayOfSource]) -> list[Day]:
    known: Counter[date] = Counter()
    events: Counter[date] = Counter()
    for row in days:
        known[row.day] += row.known
        events[row.day] += row.events
    return [Day(day, known[day], events[day] - known[day]) for day in sorted(events)]


def _largest_first(shares: Iterable[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: (-share.total, share.channel, share.place))
