"""Readings as series, as people are told."""

from datetime import datetime

from pydantic import Field

from api.models import Out
from devices.readings import Bucket, Point


class PointOut(Out):
    """A raw value."""

    at: datetime
    value: float | None
    state: str | None


class BucketOut(Out):
    """The values of one bucket, which begins at `at`."""

    at: datetime
    value: float = Field(description="The mean.")
    min_value: float
    max_value: float
    readings: int


class SeriesOut(Out):
    """A series in [from, to), oldest first; `truncated` when there was more than fits one answer."""

    serial: str
    metric: str
    unit: str
    bucket_s: int | None
    points: list[BucketOut | PointOut]
    truncated: bool


def show_point(point: Point | Bucket) -> PointOut | BucketOut:
    """One value of a series, or one bucket of it."""
    return BucketOut.model_validate(point) if isinstance(point, Bucket) else PointOut.model_validate(point)
