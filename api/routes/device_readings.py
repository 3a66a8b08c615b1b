"""`/v1/devices/{serial}/readings`: a device's readings as series, raw or bucketed."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.edge import At, CallerDep, Reads
from api.models import Text, Time
from api.told.readings import SeriesOut, show_point
from api.visible.devices import visible_device
from devices.nouns import Device, Metric
from devices.readings import Bucket, Point, select_bucketed_series, select_raw_series
from devices.store import select_metrics
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import InvalidInput

router = APIRouter(prefix="/v1/devices", tags=["devices"])

_SERIES_MAX = 5000
_WIDEST = timedelta(days=3660)
_SHORT = re.compile(r"(\d{1,5})([mhd])", re.ASCII)
_ISO = re.compile(r"P(?:(?P<days>\d{1,3})D)?(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?)?", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@router.get("/{serial}/readings", response_model=SeriesOut)
def get_readings(
    serial: str,
    reads: Reads,
    caller: CallerDep,
    at: At,
    metric: Annotated[Text, Query()],
    from_at: Annotated[Time | None, Query(alias="from", description="Default: a day before `to`.")] = None,
    to_at: Annotated[Time | None, Query(alias="to", description="Default: now.")] = None,
    bucket: Annotated[str | None, Query(max_length=20, description="Such as 15m, 1h, 1d or PT6H; raw without.")] = None,
) -> SeriesOut:
    """One metric as it was read, or its mean, least and most per bucket."""
    until = to_at or at
    since = from_at or until - timedelta(days=1)
    width = parse_bucket(bucket) if bucket else None
    _require_sensible(since, until)
    with reads.connection() as conn:
        seen = visible_device(conn, caller, serial)
        known = _find_metric(conn, seen.device, metric)
        points = _select_series(conn, seen.device, known, max(since, seen.since), until, width)
    return SeriesOut(
        serial=serial,
        metric=metric,
        unit=known.unit,
        bucket_s=int(width.total_seconds()) if width else None,
        points=[show_point(point) for point in points[:_SERIES_MAX]],
        truncated=len(points) > _SERIES_MAX,
    )


def parse_bucket(text: str) -> timedelta:
    """A width such as `15m`, `1h`, `1d` or `PT6H`, from a minute to a year; raises InvalidInput for all else."""
    parts: dict[str, int] = {}
    if short := _SHORT.fullmatch(text):
        parts = {_UNITS[short[2]]: int(short[1])}
    elif iso := _ISO.fullmatch(text):
        parts = {unit: int(count) for unit, count in iso.groupdict().items() if count}
    width = timedelta(**parts)
    if not timedelta(minutes=1) <= width <= timedelta(days=366):
        raise InvalidInput("bucket: a width from 1m to 366d, such as 15m, 1h, 1d or PT6H")
    return width


def _require_sensible(since: datetime, until: datetime) -> None:
    if since >= until:
        raise InvalidInput("from: it must be before `to`")
    if until - since > _WIDEST:
        raise InvalidInput(f"from: at most {_WIDEST.days} days before `to`")


def _find_metric(conn: ReadConnection, device: Device, name: str) -> Metric:
    metric = select_metrics(conn).get(device.model, {}).get(name)
    if metric is None:
        raise InvalidInput(f"metric: a {device.model} has no metric {name[:80]}")
    return metric


def _select_series(
    conn: ReadConnection, device: Device, metric: Metric, since: datetime, until: datetime, width: timedelta | None
) -> list[Point] | list[Bucket]:
    if width is None:
        return select_raw_series(conn, device.device_id, metric.metric_id, since, until, _SERIES_MAX + 1)
    return select_bucketed_series(conn, device.device_id, metric.metric_id, since, until, width, _SERIES_MAX + 1)
