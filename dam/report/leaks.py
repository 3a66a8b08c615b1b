"""Where knowledge of customers is lost, from the figures of the report; pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from dam.report.nouns import Flow, Leak, LeakCode, Share, SourceHealth

_LEAST_PCT = 1.0
"""Less of a whole is no leak."""
_SILENT = timedelta(days=1)
_OF_ORDERS = (LeakCode.TILL_ORDERS, LeakCode.GUEST_ORDERS)


def find_leaks(
    shares: Sequence[Share], sources: Sequence[SourceHealth], nameless: Sequence[Share], at: datetime
) -> list[Leak]:
    """All leaks; of orders first, then with the most that is lost first.

    `nameless` counts the events of each source that do not say whose they are at all, not even of which browser.
    """
    found = [*_untied(shares), *_nameless(nameless), *(leak for source in sources for leak in _faults(source, at))]
    leaks = [leak for leak in found if leak.share_pct >= _LEAST_PCT]
    return sorted(leaks, key=lambda leak: (leak.code not in _OF_ORDERS, -leak.lost, leak.code, leak.place))


def _untied(shares: Sequence[Share]) -> Iterable[Leak]:
    for share in shares:
        if share.flow is Flow.ORDERS:
            code = LeakCode.TILL_ORDERS if share.channel == "store" else LeakCode.GUEST_ORDERS
            yield Leak(code, share.channel, share.place, share.lost, share.total)
        elif share.flow is Flow.EVENTS:
            yield Leak(LeakCode.STRANGERS, share.channel, share.place, share.lost, share.total)
    devices = [share for share in shares if share.flow is Flow.DEVICES]
    yield Leak(LeakCode.DEVICES, "", "", sum(d.lost for d in devices), sum(d.total for d in devices))


def _nameless(nameless: Sequence[Share]) -> Iterable[Leak]:
    return (Leak(LeakCode.NAMELESS, each.channel, each.place, each.lost, each.total) for each in nameless)


def _faults(source: SourceHealth, at: datetime) -> Iterable[Leak]:
    if source.newest_at is None or source.newest_at <= at - _SILENT:
        yield Leak(LeakCode.SILENT, source.kind, source.source, 1, 1)
    yield Leak(LeakCode.SET_ASIDE, source.kind, source.source, source.set_aside, source.events + source.set_aside)
    yield Leak(LeakCode.LATE, source.kind, source.source, source.late, source.events)
    yield Leak(LeakCode.INCOMPLETE, source.kind, source.source, source.incomplete, source.events)
    yield Leak(LeakCode.TWICE, source.kind, source.source, source.orders_again, source.orders)
