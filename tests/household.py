"""Factories of a household's devices and of what was forecast for them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import LiteralString

from devices.nouns import Device, Installation
from devices.registry import register_device
from devices.store import select_installations
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from millpond.kernel.jobs import Claim
from offers.job import issue_due_offers
from offers.nouns import LeadTime, Offer, OfferSummary, Rules
from offers.store import lock_offer

LEAD = LeadTime(delivery_days=3, margin_days=7)
RULES = Rules(LEAD, discount_bp=1000, new_device_days=30)
DAY = timedelta(days=1)


def make_device(
    conn: WriteConnection, serial: str, model: str, customer_id: CustomerId | None, installed_at: datetime
) -> Device:
    return register_device(
        conn, serial=serial, model=model, customer_id=customer_id, installed_at=installed_at, at=installed_at
    )


def current_part(conn: WriteConnection, device: Device, part: str = "filter") -> Installation:
    found = select_installations(conn, device.device_id)
    return next(i for i in found if i.part == part and i.ended_at is None)


def forecast(
    conn: WriteConnection, part: Installation, p10: datetime | None, *, at: datetime, spread_days: int = 4
) -> None:
    """Store a forecast as the forecast job does: P10, P50 and P90 `spread_days` apart, or none."""
    row = conn.execute("insert into forecast_run (at, made_at) values (%s, %s) returning run_id", [at, at]).fetchone()
    assert row is not None
    dates = [p10 + n * spread_days * DAY if p10 else None for n in range(3)]
    conn.execute(
        "insert into depletion_forecast (run_id, installation_id, at, made_at, method, reason, remaining_pct,"
        " threshold_pct, depletes_p10, depletes_p50, depletes_p90)"
        " values (%s, %s, %s, %s, 'rate', %s, 24, 10, %s, %s, %s)",
        [row[0], part.installation_id, at, at, None if p10 else "too few readings", *dates],
    )


def replace_part(conn: WriteConnection, part: Installation, at: datetime) -> None:
    conn.execute(
        "update installation set ended_at = %s, ended_by = 'percent_rise' where installation_id = %s",
        [at, part.installation_id],
    )
    conn.execute(
        "insert into installation (device_id, part, consumable, installed_at) values (%s, %s, %s, %s)",
        [part.device_id, part.part, part.consumable, at],
    )


def run_job(
    conn: WriteConnection,
    at: datetime,
    *,
    rules: Rules = RULES,
    claim: Claim | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> OfferSummary:
    return issue_due_offers(conn, at, rules, claim=claim, on_progress=on_progress)


def offers_of(conn: WriteConnection, customer_id: CustomerId) -> list[Offer]:
    """All offers to a customer, in any state, the newest first."""
    return _read(conn, "select offer_id from offer where customer_id = %s", [customer_id])


def read_offer(conn: WriteConnection, offer_id: str) -> Offer:
    """The offer as it is now."""
    (offer,) = _read(conn, "select %s", [offer_id])
    return offer


def _read(conn: WriteConnection, ids: LiteralString, values: list[str]) -> list[Offer]:
    with conn.transaction():
        found = [lock_offer(conn, row[0]) for row in conn.execute(ids, values).fetchall()]
    return sorted((o for o in found if o), key=lambda o: (o.issued_at, o.offer_id), reverse=True)


def steps_of(conn: WriteConnection, offer_id: str) -> list[tuple[str, str, str | None]]:
    """The steps of an offer's life in their order: state, actor, and why it was withdrawn."""
    query = (
        "select state, actor, reason from offer_event where offer_id = %s order by at, array_position("
        "array['open', 'seen', 'accepted', 'ordered', 'declined', 'expired', 'withdrawn'], state)"
    )
    return conn.execute(query, [offer_id]).fetchall()
