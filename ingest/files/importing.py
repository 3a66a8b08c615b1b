"""A file of readings into the database: checked like telemetry, stored once, every row with exactly one outcome."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devices.bulk.columns import columns_of
from devices.nouns import Metric, MetricKind, Reading
from devices.store import select_devices_by_serial, select_metrics
from devices.wire_time import parse_ts
from ingest.formats.value import check_value
from ingest.nouns import Keeping, Registry, Rejection, Tally
from ingest.storing.outcomes import add_to_minute, store_columns
from ingest.storing.quarantine import RefusedItem, RefusedMessage, insert_quarantine
from millpond.kernel.db import WriteConnection
from millpond.kernel.table_file import CHUNK_ROWS, Row, read_chunks

COLUMNS = ("serial", "metric", "ts", "value")
CONSUMER = "import"
_BOOLEANS = {"true": True, "false": False}
_SERIAL_MAX = 64
_MOST_NAMED = 5

Refused = tuple[Row, Rejection]
Window = tuple[datetime, datetime]
"""The earliest and the latest moment that a row may have."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What became of the rows now; `refusals` are the first of those that were refused, `reasons` counts them by code.

    Of the refused, `known` were in quarantine already: the tally has them among its duplicates.
    """

    tally: Tally = field(default_factory=Tally)
    known: int = 0
    refusals: tuple[Rejection, ...] = ()
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        """How many rows were refused, for all reasons."""
        return self.reasons.total()


def import_readings(
    conn: WriteConnection,
    path: Path,
    *,
    at: datetime,
    clock_future: timedelta,
    past: timedelta = timedelta(days=3650),
    chunk_rows: int = CHUNK_ROWS,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> ImportSummary:
    """Store the readings of a CSV or Parquet file, one transaction a chunk; a second run finds duplicates only.

    Bad rows go to quarantine under the topic `import:NAME`, with their line as the item. A time later than `at` plus
    `clock_future` or earlier than `at` less `past` is bad; unlike a device's, no time is ever corrected. `on_progress`
    is called after each chunk with how much of the file is done. Raises InvalidInput for a file without the columns,
    ConfigurationError for Parquet without pyarrow.
    """
    summary = ImportSummary()
    window = (at - past, at + clock_future)
    source = f"import:{path.name.encode('utf-8', 'replace').decode()}"
    for chunk in read_chunks(path, COLUMNS, chunk_rows):
        with conn.transaction():
            registry = _load_registry(conn, chunk.rows)
            readings, refused = decode_rows(chunk.rows, registry, at, window)
            kept = _quarantine(conn, source, refused, at)
            stored, _ = store_columns(conn, columns_of(readings), at)
            tally = stored + kept
            add_to_minute(conn, CONSUMER, tally, len(chunk.rows), at)
        summary = _add(summary, tally, kept, refused)
        on_progress(chunk.done, chunk.of)
    return summary


def _add(summary: ImportSummary, tally: Tally, kept: Tally, refused: Sequence[Refused]) -> ImportSummary:
    rejections = [rejection for _, rejection in refused]
    return ImportSummary(
        summary.tally + tally,
        summary.known + kept.duplicate,
        (summary.refusals + tuple(rejections[:_MOST_NAMED]))[:_MOST_NAMED],
        summary.reasons + Counter(rejection.code for rejection in rejections),
    )


def _load_registry(conn: WriteConnection, rows: Sequence[Row]) -> Registry:
    serials = {row.cells[0] for row in rows if not isinstance(row.cells, str) and _is_storable(row.cells[0])}
    return Registry(select_devices_by_serial(conn, sorted(serials)), select_metrics(conn))


def _is_storable(serial: Any) -> bool:
    return isinstance(serial, str) and 0 < len(serial) <= _SERIAL_MAX and "\x00" not in serial


def decode_rows(
    rows: Sequence[Row], registry: Registry, received_at: datetime, window: Window
) -> tuple[list[Reading], list[Refused]]:
    """The rows that are readings, and those that are not, with the reason."""
    readings: list[Reading] = []
    refused: list[Refused] = []
    for row in rows:
        decoded = _decode_row(row, registry, received_at, window)
        if isinstance(decoded, Rejection):
            refused.append((row, replace(decoded, item=str(row.number))))
        else:
            readings.append(decoded)
    return readings, refused


def _decode_row(row: Row, registry: Registry, received_at: datetime, window: Window) -> Reading | Rejection:
    if isinstance(row.cells, str):
        return Rejection("malformed", row.cells)
    serial, name, ts, raw = row.cells
    device = registry.devices.get(serial)
    if device is None:
        return Rejection("unknown_serial", f"serial {str(serial)[:_SERIAL_MAX]} is not registered")
    metrics = registry.metrics.get(device.model, {})
    value = check_value(metrics, device.model, str(name), _parse_value(metrics.get(name), raw))
    if isinstance(value, Rejection):
        return value
    try:
        measured_at = _parse_moment(ts, window)
    except ValueError as error:
        return Rejection("bad_time", str(error))
    number, state = (None, value) if isinstance(value, str) else (value, None)
    return Reading(device.device_id, metrics[name].metric_id, measured_at, number, state, received_at, False)


def _parse_value(metric: Metric | None, raw: Any) -> Any:
    """What a cell's text says for this metric; what it does not say stays text, for the check to refuse."""
    if metric is None or not isinstance(raw, str):
        return raw
    if metric.kind is MetricKind.BOOLEAN:
        return _BOOLEANS.get(raw, raw)
    if metric.kind is MetricKind.NUMBER and "_" not in raw:
        try:
            return float(raw)
        except ValueError:
            return raw
    return raw


def _parse_moment(ts: Any, window: Window) -> datetime:
    """The time of a cell in UTC; ValueError with one sentence when it is none, or out of the window."""
    if isinstance(ts, datetime):
        if ts.tzinfo is None:
            raise ValueError(f"ts {ts.isoformat()} has no offset from UTC")
        moment: datetime | None = ts.astimezone(UTC)
    else:
        ts = int(ts) if isinstance(ts, str) and ts.isdecimal() and ts.isascii() else ts
        moment = parse_ts(ts)
    if moment is None:
        raise ValueError("ts is empty" if ts is None else f"ts {str(ts)[:40]} is beyond the calendar")
    earliest, latest = window
    if moment > latest:
        raise ValueError(f"ts {moment.isoformat()} has not come yet")
    if moment < earliest:
        # A year in seconds, read as milliseconds, is a few weeks of 1970.
        asked = ": is it in seconds? write milliseconds" if isinstance(ts, int | float) else ""
        raise ValueError(f"ts {moment.isoformat()} is before {earliest.date()}, the earliest that is taken{asked}")
    return moment


def _quarantine(conn: WriteConnection, source: str, refused: Sequence[Refused], at: datetime) -> Tally:
    if not refused:
        return Tally()
    messages = [
        RefusedMessage(source, row.original, at, [RefusedItem(_serial_of(row), rejection)])
        for row, rejection in refused
    ]
    new = insert_quarantine(conn, messages, Keeping()).items
    return Tally(quarantined=new, duplicate=len(messages) - new)


def _serial_of(row: Row) -> str:
    serial = "" if isinstance(row.cells, str) else row.cells[0]
    return serial if _is_storable(serial) else ""
