"""Devices and readings that are made quickly: for figures of speed, where their values hardly matter."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray

from devices.nouns import Device, Reading
from devices.registry import register_device
from devices.store import select_metrics
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId, MetricId

MODEL = "reed-air-2"
METRICS = ("filter_used_h", "filter_life_pct", "pm25_ugm3", "fan_level", "power")
REGIONS = ("seoul", "beijing")
CAPACITY_H = 3500.0
COLUMN_TYPES = ("int8", "int4", "timestamptz", "float8", "text", "timestamptz", "bool")

Floats = NDArray[np.float64]


def register_fleet(
    conn: WriteConnection, count: int, installed_at: datetime, *, owners: Sequence[CustomerId | None] = (None,)
) -> list[Device]:
    """Air purifiers `bench-0` and on, spread over two regions and over `owners`."""
    with conn.transaction():
        return [
            register_device(
                conn,
                serial=f"bench-{number}",
                model=MODEL,
                region=REGIONS[number % len(REGIONS)],
                customer_id=owners[number % len(owners)],
                installed_at=installed_at,
                at=installed_at,
            )
            for number in range(count)
        ]


def find_metric_ids(conn: WriteConnection) -> list[MetricId]:
    """Ids of METRICS, in their order."""
    of_model = select_metrics(conn)[MODEL]
    return [of_model[name].metric_id for name in METRICS]


def metric_values(number: int) -> dict[str, float | bool]:
    """One sample of a device: five metrics, within their ranges."""
    values = (float(number % 3000), 100 - number % 90, 5 + number % 40 / 4, number % 5, number % 2 == 0)
    return dict(zip(METRICS, values, strict=True))


def make_readings(
    devices: Sequence[Device], metric_ids: Sequence[MetricId], rows: int, start: datetime
) -> list[Reading]:
    """`rows` different readings: all metrics of all devices, minute after minute from `start`."""
    columns = [(device.device_id, metric_id) for device in devices for metric_id in metric_ids]
    return [
        Reading(*columns[row % len(columns)], at, float(row % 1000), None, at, False)
        for row in range(rows)
        for at in [start + timedelta(minutes=row // len(columns))]
    ]


def copy_readings(conn: WriteConnection, readings: Iterable[Reading], into: LiteralString = "reading") -> None:
    """One binary COPY."""
    columns = "device_id, metric_id, measured_at, value, state, received_at, corrected"
    with conn.cursor() as cursor, cursor.copy(f"copy {into} ({columns}) from stdin (format binary)") as copy:
        copy.set_types(COLUMN_TYPES)
        for r in readings:
            copy.write_row((r.device_id, r.metric_id, r.measured_at, r.value, r.state, r.received_at, r.corrected))


def make_used_hours(devices: int, days: int, readings_a_day: int, seed: int) -> Floats:
    """Run hours used by each device (rows) at each reading: own level, weekends, a season, noise, a wrap when worn."""
    rng = np.random.default_rng(seed)
    day = np.arange(days * readings_a_day) / readings_a_day
    shape = np.where(day.astype(int) % 7 >= 5, 1.3, 0.9) * (1 + 0.3 * np.cos(2 * np.pi * day / 365.25))
    level = 14.0 * rng.lognormal(0, 0.3, (devices, 1))
    used = level * shape * rng.lognormal(-0.05, 0.3, (devices, len(day))) / readings_a_day
    worn_at = CAPACITY_H * rng.uniform(0.9, 1.0, (devices, 1))
    already: Any = CAPACITY_H * rng.uniform(0, 0.5, (devices, 1))
    return np.asarray(np.floor((already + np.cumsum(used, axis=1)) % worn_at))


def readings_of_hours(
    devices: Sequence[Device], metric_id: MetricId, hours: Floats, start: datetime, step: timedelta
) -> Iterable[Reading]:
    """The run-hour counter of each device, a reading a step."""
    moments = [start + n * step for n in range(hours.shape[1])]
    for device, row in zip(devices, hours.tolist(), strict=True):
        for at, value in zip(moments, row, strict=True):
            yield Reading(device.device_id, metric_id, at, value, None, at, False)
