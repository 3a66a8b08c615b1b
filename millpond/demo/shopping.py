"""What the demo's households did in app, web, shop and messenger in the weeks before, as a brand's systems tell it."""

import base64
import json
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from customers.consent import record_consent
from customers.nouns import Customer, Purpose
from events.nouns import Scope, SourceKind
from events.sources import issue_key, register_source, select_sources
from millpond.kernel.db import ReadConnection, WriteConnection
from simulators.shoppers.acts import Act
from simulators.shoppers.calls import Call, tell
from simulators.shoppers.people import Shopper, make_shopper
from simulators.shoppers.scenario import Town
from simulators.shoppers.shelf import Shelf, shipped_shelf
from simulators.shoppers.visits import Days

WEEKS = 6
_SOURCES = {
    "web": (SourceKind.WEB, (Scope.EVENTS,)),
    "app": (SourceKind.APP, (Scope.EVENTS,)),
    "server": (SourceKind.SERVER, (Scope.EVENTS, Scope.IDENTIFY, Scope.ORDERS)),
    "store": (SourceKind.STORE, (Scope.EVENTS,)),
    "messenger": (SourceKind.SERVER, (Scope.EVENTS, Scope.IDENTIFY)),
}
# What their devices use up is what the demo offers them: nobody buys that on their own beforehand.
_OFFERED = frozenset({"filter", "brush", "soundbar", "lamp"})
_TOWN = Town(
    title="The demo's households", shows="What they did before.", days=7 * WEEKS, accounts=1, people_per_household=1
)
_AT_ONCE = 100
_TIMEOUT_S = 30.0


def has_shopped(conn: ReadConnection) -> bool:
    """Whether an earlier run of a kept demo has told it already."""
    return bool({source.name for source in select_sources(conn)} & {_name(each) for each in _SOURCES})


def shop_for_weeks(
    conn: WriteConnection, address: str, customers: Sequence[Customer], *, seed: int, at: datetime
) -> int:
    """Send what each customer did in the weeks up to `at` to the tracking API, in the order of time; how many calls.

    What they agreed to is recorded first: places, for one, are kept of nobody else.
    """
    start = at - timedelta(weeks=WEEKS)
    shelf = shipped_shelf(start=start, seed=seed)
    shelf = Shelf([each for each in shelf.articles if each.category not in _OFFERED])
    shoppers = [_make_shopper(seed, number, each, shelf) for number, each in enumerate(customers)]
    for customer, shopper in zip(customers, shoppers, strict=True):
        _agree(conn, customer, shopper, at=start)
    lived = (act for shopper in shoppers for act in Days(seed, shopper, shelf, _TOWN.shares, start).acts(_TOWN.days))
    acts = sorted((act for act in lived if act.at < at), key=lambda act: (act.at, act.act_id))
    keys = {source: _open_source(conn, source, at=start) for source in _SOURCES}
    # Accounts and their names first, so that what follows is somebody's from the beginning.
    return sum(
        _send(address, keys[source], _calls_of(source, acts)) for source in ("server", *sorted({*keys} - {"server"}))
    )


def _make_shopper(seed: int, number: int, customer: Customer, shelf: Shelf) -> Shopper:
    shopper = make_shopper(seed, number, shelf.categories, _TOWN.shares)
    names = replace(shopper.names, login=customer.external_key)
    return replace(shopper, names=names, locale=customer.locale, time_zone=customer.time_zone)


def _agree(conn: WriteConnection, customer: Customer, shopper: Shopper, *, at: datetime) -> None:
    for purpose in sorted({each.value for each in Purpose} & shopper.agrees):
        record_consent(
            conn,
            customer.customer_id,
            Purpose(purpose),
            version=1,
            given=True,
            at=at,
            source="app",
            evidence={"demo": True},
        )


def _open_source(conn: WriteConnection, source: str, *, at: datetime) -> str:
    kind, scopes = _SOURCES[source]
    made = register_source(conn, name=_name(source), kind=kind, scopes=scopes, at=at)
    return issue_key(conn, made.source_id, at=at).write_key


def _name(source: str) -> str:
    return f"Demo {source}"


def _calls_of(source: str, acts: Iterable[Act]) -> list[Call]:
    return [call for act in acts for told_by, call in tell(act) if told_by == source]


def _send(address: str, write_key: str, calls: Sequence[Call]) -> int:
    authorization = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
    for begin in range(0, len(calls), _AT_ONCE):
        batch = calls[begin : begin + _AT_ONCE]
        request = urllib.request.Request(f"{address}/v1/batch", json.dumps({"batch": batch}).encode(), method="POST")
        request.add_header("Authorization", authorization)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
            pass
    return len(calls)
