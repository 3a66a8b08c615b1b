"""Who may need what: parts near their end, and what fits a device that is new."""

from datetime import datetime, timedelta
from typing import Any

from millpond.kernel.db import ReadConnection, load_queries
from offers.nouns import Candidate, Depletion, Rules, Trigger

_Q = load_queries("offers")
# Parts are looked at this long before they are due, so that "not yet" is on record when somebody asks.
LOOK_AHEAD = timedelta(days=14)


def select_candidates(conn: ReadConnection, at: datetime, rules: Rules) -> list[Candidate]:
    """All candidates of a moment, parts first, the most urgent first."""
    before = at + rules.lead.total + LOOK_AHEAD
    parts = conn.execute(_Q["select_depletion_candidates"], {"at": at, "before": before}).fetchall()
    since = at - timedelta(days=rules.new_device_days)
    joining = conn.execute(_Q["select_new_device_candidates"], {"at": at, "since": since}).fetchall()
    return [_part_candidate(row) for row in parts] + [_new_device_candidate(row) for row in joining]


def _part_candidate(row: tuple[Any, ...]) -> Candidate:
    return Candidate(
        trigger=Trigger.DEPLETION,
        device_id=row[0],
        serial=row[1],
        customer_id=row[2],
        names=row[3],
        device_installed_at=row[4],
        sku=row[5],
        installation_id=row[6],
        part_names=row[7],
        depletion=Depletion(*row[8:]),
    )


def _new_device_candidate(row: tuple[Any, ...]) -> Candidate:
    return Candidate(
        trigger=Trigger.NEW_DEVICE,
        device_id=row[0],
        serial=row[1],
        customer_id=row[2],
        names=row[3],
        device_installed_at=row[4],
        sku=row[5],
        relation=row[6],
        evidence=row[7],
        condition=row[8],
    )
