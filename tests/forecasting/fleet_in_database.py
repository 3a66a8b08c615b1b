"""Puts devices and their daily readings into the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Device, Reading
from devices.registry import register_device
from devices.store import select_metrics
from millpond.kernel.db import WriteConnection

DAY = timedelta(days=1)


def add_device(
    conn: WriteConnection, serial: str, model: str, installed_at: datetime, *, region: str = "north"
) -> Device:
    """A registered device without readings."""
    return register_device(conn, serial=serial, model=model, region=region, installed_at=installed_at, at=installed_at)


def add_readings(
    conn: WriteConnection,
    device: Device,
    metric: str,
    values: Sequence[float | None],
    start: datetime,
    *,
    step: timedelta = DAY,
) -> None:
    """One reading a step from `start`; None is a step without one."""
    metric_id = select_metrics(conn)[device.model][metric].metric_id
    readings = [
        Reading(device.device_id, metric_id, start + i * step, float(value), None, start + i * step, False)
        for i, value in enumerate(values)
        if value is not None
    ]
    store_readings(conn, columns_of(readings))
