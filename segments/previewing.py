"""Whom a condition fits, before it becomes a segment: what PostgreSQL expects first, then how many and who."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from psycopg.errors import QueryCanceled

from customers.audit.entries import record_audit_of
from customers.nouns import Purpose
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId
from millpond.kernel.settings import Settings
from segments.conditions.compiling import Compiled
from segments.nouns import Member
from segments.statements import counting, explaining, showing, values_of
from segments.store import hold_to_time, select_agreeing

_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one condition may cost: PostgreSQL's estimate, in its own units, and seconds."""

    cost: float
    seconds: float

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What an operator set."""
        return cls(settings.segment_cost_max, settings.segment_timeout_s)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What PostgreSQL expects: how many customers, at what cost."""

    customers: int
    cost: float


@dataclass(frozen=True, slots=True)
class Preview:
    """How many a condition fits, and some of them, as far as they agree to what it needs."""

    estimate: Estimate
    size: int
    examples: tuple[Member, ...]


def check_cost(
    conn: ReadConnection, compiled: Compiled, needs: Collection[Purpose], *, at: datetime, bounds: Bounds
) -> Estimate:
    """What it would cost. Raises InvalidInput where that is too much; nothing is looked for."""
    values = values_of(compiled, at=at, asked_at=at)
    row = conn.execute(explaining(compiled, needs), values, prepare=False).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    if plan["Total Cost"] > bounds.cost:
        raise InvalidInput(
            f"/: this condition would look at too much (cost {plan['Total Cost']:,.0f}, at most {bounds.cost:,.0f}); "
            "say fewer days, or a category or a sku"
        )
    return Estimate(int(plan["Plan Rows"]), float(plan["Total Cost"]))


def preview_condition(
    conn: WriteConnection,
    compiled: Compiled,
    needs: Collection[Purpose],
    *,
    at: datetime,
    bounds: Bounds,
    actor: str,
    examples: int = _EXAMPLES,
) -> Preview:
    """Count whom it fits, and show some of them to `actor`, in the caller's transaction; the audit log says whom.

    Raises InvalidInput where it costs too much or takes too long.
    """
    estimate, size, found = _look_in_time(conn, compiled, needs, at, bounds, examples)
    agreeing = select_agreeing(conn, [member.customer_id for member in found], needs, at)
    shown = tuple(member for member in found if member.customer_id in agreeing)
    if shown:
        whom: list[CustomerId | None] = [member.customer_id for member in shown]
        record_audit_of(
            conn, actor=actor, action="previewed", customer_ids=whom, because="segment_preview", detail={}, at=at
        )
    return Preview(estimate, size, shown)


def _look_in_time(
    conn: WriteConnection, compiled: Compiled, needs: Collection[Purpose], at: datetime, bounds: Bounds, examples: int
) -> tuple[Estimate, int, list[Member]]:
    values = values_of(compiled, at=at, asked_at=at, limit=examples)
    try:
        with conn.transaction():
            hold_to_time(conn, bounds.seconds)
            estimate = check_cost(conn, compiled, needs, at=at, bounds=bounds)
            row = conn.execute(counting(compiled, needs), values, prepare=False).fetchone()
            rows = conn.execute(showing(compiled, needs), values, prepare=False).fetchall()
            hold_to_time(conn, 0)
    except QueryCanceled as error:
        raise InvalidInput(
            f"/: this condition takes longer than {bounds.seconds:g} seconds; say fewer days, or a category or a sku"
        ) from error
    assert row is not None
    return estimate, int(row[0]), [Member(customer_id, at, evidence) for customer_id, evidence in rows]
