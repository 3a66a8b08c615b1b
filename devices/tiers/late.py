"""Late data: the days of devices that got readings after they were over, until all that is made of them knows it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from devices.bulk.columns import ReadingColumns
from millpond.kernel.arrays import bigints, moments, to_us
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import DeviceId

_Q = load_queries("devices.tiers")

_DAY_US = timedelta(days=1) // timedelta(microseconds=1)
LateDay = tuple[DeviceId, datetime]
"""A device and the beginning of a day, in UTC."""


def begin_of_day(at: datetime) -> datetime:
    """The beginning of the day of `at`, in UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def mark_late(conn: WriteConnection, columns: ReadingColumns, at: datetime) -> None:
    """Note the days that are over and got these readings, within the transaction that stored them.

    The day of `at` is held until the commit, so that it is not over before. Of earlier readings, and of all when the
    day of `at` was over already, those count whose day was rolled up.
    """
    today = begin_of_day(at)
    [(is_over,)] = conn.execute(_Q["hold_day"], {"day": today})
    late = np.full(len(columns), True) if is_over else columns.measured_us < to_us(today)
    if not late.any():
        return
    days = columns.measured_us[late] // _DAY_US
    first, span = days.min(), days.max() - days.min() + 1
    # As one number each: numpy sorts numbers ten times as fast as pairs.
    device_ids, days = np.divmod(np.unique(columns.device_ids[late] * span + days - first), span)
    conn.execute(_Q["mark_late_days"], {"device_ids": bigints(device_ids), "days": moments((days + first) * _DAY_US)})


def select_rolled_days(conn: ReadConnection) -> list[LateDay]:
    """The late days that hours and days have, and forecasts do not."""
    return conn.execute(_Q["select_rolled_days"]).fetchall()


def forget_late_days(conn: WriteConnection, days: Sequence[LateDay]) -> None:
    """These days are dealt with; those that got readings again meanwhile stay."""
    values = {"device_ids": [device_id for device_id, _ in days], "days": [day for _, day in days]}
    conn.execute(_Q["forget_late_days"], values)
