"""What a customer owns and what is left of it, over the tables of several packages."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, Sku

_Q = load_queries("api.reads")


@dataclass(frozen=True, slots=True)
class HouseholdDevice:
    """One of a customer's devices; `name` is its model's, by language. `status` and `heard_at`: None when never."""

    device_id: DeviceId
    serial: str
    name: dict[str, str]
    category: str
    installed_at: datetime
    status: str | None
    reporting: str
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class HouseholdPart:
    """What is installed now in one place of a device, with its newest forecast (None throughout when there is none).

    All of it from `owned_from` on, when the customer became the owner.
    """

    device_id: DeviceId
    installation_id: InstallationId
    part: str
    sku: Sku
    name: dict[str, str]
    installed_at: datetime
    owned_from: datetime
    threshold_pct: float
    remaining_pct: float | None
    depletes_p10: datetime | None
    depletes_p50: datetime | None
    depletes_p90: datetime | None
    reason: str | None
    reason_code: str | None
    method: str | None
    forecast_at: datetime | None


@dataclass(frozen=True, slots=True)
class Remaining:
    """Percent remaining at the end of a day; `last_at` is when it was measured."""

    day: datetime
    last_at: datetime
    remaining_pct: float


@dataclass(frozen=True, slots=True)
class UnitsOnTheirWay:
    """How many units of a product were ordered and have not arrived, and when the last of them were (None: none)."""

    units: int
    placed_at: datetime | None


def select_household(
    conn: ReadConnection, customer_id: CustomerId, at: datetime, *, limit: int = 50
) -> list[HouseholdDevice]:
    """Up to `limit` of a customer's devices, in the order they were registered."""
    with conn.cursor(row_factory=class_row(HouseholdDevice)) as cursor:
        return cursor.execute(_Q["select_household"], {"customer_id": customer_id, "at": at, "limit": limit}).fetchall()


def select_household_parts(conn: ReadConnection, customer_id: CustomerId, *, at: datetime) -> list[HouseholdPart]:
    """What is installed now in a customer's devices, with what was forecast by `at` (or, alone, for later)."""
    with conn.cursor(row_factory=class_row(HouseholdPart)) as cursor:
        return cursor.execute(_Q["select_household_parts"], {"customer_id": customer_id, "at": at}).fetchall()


def select_remaining_history(
    conn: ReadConnection, device_id: DeviceId, part: str, *, since: datetime
) -> list[Remaining]:
    """Percent remaining of a part day by day, oldest first; a replacement shows as a rise."""
    with conn.cursor(row_factory=class_row(Remaining)) as cursor:
        values = {"device_id": device_id, "part": part, "since": since}
        # Not prepared, as series are not: the plan depends on how far back is asked.
        return cursor.execute(_Q["select_remaining_history"], values, prepare=False).fetchall()


def select_units_on_their_way(
    conn: ReadConnection, customer_id: CustomerId, sku: Sku, *, since: datetime, at: datetime
) -> UnitsOnTheirWay:
    """What the customer ordered in (since, at], less what a shop handed over and what was given back."""
    with conn.cursor(row_factory=class_row(UnitsOnTheirWay)) as cursor:
        values = {"customer_id": customer_id, "sku": sku, "since": since, "at": at}
        units = cursor.execute(_Q["select_units_on_their_way"], values).fetchone()
    assert units is not None  # An aggregate always has a row.
    return units
