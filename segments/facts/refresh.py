"""Working out the facts of all customers, a page of them a transaction, or of those who changed."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId
from millpond.kernel.jobs import Claim, held
from segments.facts.rules import fact_rules

_Q = load_queries("segments.facts")
_PAGE = 50_000
_LATE = timedelta(minutes=10)
"""For so long something may have been written down and not be committed yet, so it is looked for twice."""
Progress = Callable[[int], None]
Person = tuple[CustomerId, bool, bool]


def select_changed(conn: ReadConnection, *, since: datetime, at: datetime) -> list[CustomerId]:
    """Ids of persons of whom anything came since a refresh for `since`, or whose life-cycle turns by `at`."""
    rows = conn.execute(_Q["select_changed"], {"since": since - _LATE, "at": at})
    return [customer_id for (customer_id,) in rows]


def refresh_facts(
    conn: WriteConnection,
    at: datetime,
    *,
    asked_at: datetime,
    cycle_days: float,
    only: Sequence[CustomerId] | None = None,
    claim: Claim | None = None,
    on_progress: Progress = lambda _: None,
) -> int:
    """Work out the facts of all customers, or `only` of some, as of `at`; consent is asked for at `asked_at`.

    `cycle_days` is what customers usually wait. Returns how many were looked at. Who agrees to nothing any more has no
    facts afterwards.
    """
    looked_at, values = 0, _rule_values(at, cycle_days)
    for after, page, last in _pages(conn, at, asked_at, only):
        with held(conn, claim):
            _refresh_page(conn, page, values, after=after, last=last, only=only)
        looked_at += len(page)
        on_progress(looked_at)
    return looked_at


def refresh_cuts(conn: WriteConnection, at: datetime) -> None:
    """Where customers are divided into fifths from now on; in the caller's transaction, once all facts are fresh."""
    conn.execute(_Q["upsert_cuts"], {"at": at, "least": fact_rules().least_for_fifths})


def _pages(
    conn: ReadConnection, at: datetime, asked_at: datetime, only: Sequence[CustomerId] | None
) -> Iterator[tuple[str, list[Person], str | None]]:
    after: str = ""
    while True:
        values = {"at": at, "asked_at": asked_at, "after": after, "only": only, "limit": _PAGE}
        page = conn.execute(_Q["select_people"], values, prepare=False).fetchall()
        last = page[-1][0] if len(page) == _PAGE else None
        yield after, page, last
        if last is None:
            return
        after = last


def _refresh_page(
    conn: WriteConnection,
    page: Sequence[Person],
    rules: dict[str, Any],
    *,
    after: str,
    last: str | None,
    only: Sequence[CustomerId] | None,
) -> None:
    agreed = [person for person in page if person[1] or person[2]]
    values = {
        "customer_ids": [customer_id for customer_id, _, _ in agreed],
        "behaviours": [behaviour for _, behaviour, _ in agreed],
        "devices": [devices for _, _, devices in agreed],
    }
    conn.execute(_Q["compile_nothing"])
    conn.execute(_Q["delete_facts"], values | {"after": after, "last": last, "only": only}, prepare=False)
    conn.execute(_Q["upsert_facts"], values | rules, prepare=False)


def _rule_values(at: datetime, cycle_days: float) -> dict[str, Any]:
    rules = fact_rules()
    return {
        "at": at,
        "new_days": rules.new_days,
        "event_days": rules.event_days,
        "names": list(rules.weights),
        "weights": list(rules.weights.values()),
        "bought_weight": rules.bought_weight,
        "half_life_days": rules.interest_half_life_days,
        "due_days": rules.due_days,
        "season_begins": [season.begins for season in rules.gift_seasons],
        "season_ends": [season.ends for season in rules.gift_seasons],
        "typical_days": cycle_days,
        "active_cycles": rules.active_cycles,
        "lapsed_cycles": rules.lapsed_cycles,
    }


def measure_cycle_days(conn: ReadConnection) -> float:
    """How long customers usually wait, by the facts that are there: those of the refresh before; else what ships."""
    row = conn.execute(_Q["select_typical_days"]).fetchone()
    assert row is not None
    days, customers = row
    return float(days) if days and customers >= fact_rules().least_for_fifths else fact_rules().typical_cycle_days
