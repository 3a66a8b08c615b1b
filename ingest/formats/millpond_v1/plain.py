"""Telemetry and backfill that need no care, read into columns; the rest is left to `decode`, which has all the rules.

What is read here is read as `decode` would read it. Whatever is in any way unusual is not read here at all: text for
numbers, a unit, another field, an odd time, a value out of its range.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType

from devices.bulk.columns import ReadingColumns, States
from devices.wire import PREFIX, build_topic, is_boot
from devices.wire_time import parse_ts
from ingest.formats.millpond_v1.samples import SAMPLES_MAX
from ingest.formats.shapes import Shape, Shapes
from ingest.formats.value import check_value
from ingest.nouns import Delivery, Limits, Rejection
from ingest.plain import BootKey, KnownDevice, PlainMessages
from millpond.kernel.arrays import Ints, to_us

_BEGIN = f"{PREFIX}/"
_TELEMETRY, _BACKFILL = (build_topic("", channel).removeprefix(_BEGIN) for channel in ("telemetry", "backfill"))
# One more fits into what the columns hold.
_SEQ_MAX = 2**63 - 2
_MICROSECOND = timedelta(microseconds=1)
_US_PER_MS = 1000

Values = dict[str, float | bool | str]


class _Sample(Struct, gc=False, forbid_unknown_fields=True):
    seq: int
    ts: int | str
    metrics: Values


class _Payload(Struct, gc=False, forbid_unknown_fields=True):
    boot: str
    seq: int | UnsetType = UNSET
    ts: int | str | UnsetType = UNSET
    metrics: Values | UnsetType = UNSET
    samples: list[_Sample] | UnsetType = UNSET
    serial: str | UnsetType = UNSET


_read_json = msgspec.json.Decoder(_Payload).decode


def plain_serial(topic: str) -> str | None:
    """The serial in a topic of telemetry or backfill."""
    if topic.startswith(_BEGIN):
        if topic.endswith(_TELEMETRY):
            return topic[len(_BEGIN) : -len(_TELEMETRY)]
        if topic.endswith(_BACKFILL):
            return topic[len(_BEGIN) : -len(_BACKFILL)]
    return None


def read_plain(
    deliveries: Sequence[Delivery],
    serials: Sequence[str | None],
    devices: Mapping[str, KnownDevice],
    shapes: Shapes,
    limits: Limits,
) -> PlainMessages:
    """Those of the deliveries that need no care; `serials` are those in their topics."""
    shapes.forget_when_many()
    reader = _Reader(shapes, limits)
    for place, (delivery, serial) in enumerate(zip(deliveries, serials, strict=True)):
        device = None if serial is None else devices.get(serial)
        if serial is not None and device is not None:
            reader.read(place, delivery, serial, device)
    return reader.columns()


class _Row(NamedTuple):
    seq: int
    measured_us: int
    shape: Shape
    values: Values


class _Reader:
    """Reads one message after the other, each whole or not at all."""

    def __init__(self, shapes: Shapes, limits: Limits) -> None:
        self._shapes, self._bytes_max = shapes, limits.payload_max_bytes
        self._past_us, self._future_us = -(limits.clock_past // _MICROSECOND), limits.clock_future // _MICROSECOND
        self._received_at: datetime | None = None
        self._received_us = 0
        self._boots: dict[BootKey, int] = {}
        self._messages: list[tuple[int, Delivery, int, int, int]] = []
        self._samples: list[tuple[int, int, int, int, int]] = []
        self._values: list[float | bool] = []
        self._states: dict[int, str] = {}

    def read(self, place: int, delivery: Delivery, serial: str, device: KnownDevice) -> None:
        """Take a message in, if it needs no care."""
        if len(delivery.payload) > self._bytes_max:
            return
        try:
            payload = _read_json(delivery.payload)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return
        if (payload.serial is not UNSET and payload.serial != serial) or not is_boot(payload.boot):
            return
        received_us = self._to_us(delivery.received_at)
        rows = self._rows(payload, device.model, received_us)
        if rows:
            boot = self._boots.setdefault((serial, payload.boot), len(self._boots))
            for row in rows:
                self._take(row)
            self._messages.append((place, delivery, boot, device.device_id, received_us))

    def _rows(self, payload: _Payload, model: str, received_us: int) -> list[_Row] | None:
        """The samples of a message; None when one of them needs care, or there is none or are too many."""
        if payload.samples is UNSET:
            if payload.seq is UNSET or payload.ts is UNSET or payload.metrics is UNSET:
                return None
            row = self._row(payload.seq, payload.ts, payload.metrics, model, received_us)
            return None if row is None else [row]
        alone = payload.seq is UNSET and payload.ts is UNSET and payload.metrics is UNSET
        if not alone or len(payload.samples) > SAMPLES_MAX:
            return None
        rows = []
        for one in payload.samples:
            row = self._row(one.seq, one.ts, one.metrics, model, received_us)
            if row is None:
                return None
            rows.append(row)
        return rows

    def _row(self, seq: int, ts: int | str, values: Values, model: str, received_us: int) -> _Row | None:
        measured_us = ts * _US_PER_MS if isinstance(ts, int) else _parse_text(ts)
        if measured_us is None or not self._past_us <= measured_us - received_us <= self._future_us:
            return None
        shape = self._shapes.find(model, values)
        if shape is None or not 0 <= seq <= _SEQ_MAX:
            return None
        for name in shape.states:
            if isinstance(check_value(self._shapes.metrics[model], model, name, values[name]), Rejection):
                return None
        return _Row(seq, measured_us, shape, values)

    def _take(self, row: _Row) -> None:
        self._samples.append((len(self._messages), row.seq, row.measured_us, row.shape.first, row.shape.count))
        if not row.shape.states:
            self._values.extend(row.values.values())  # type: ignore[arg-type]  # no state, so no text
            return
        for value in row.values.values():
            if isinstance(value, str):
                self._states[len(self._values)] = value
            self._values.append(np.nan if isinstance(value, str) else value)

    def _to_us(self, received_at: datetime) -> int:
        # What came in one piece from the broker has one time.
        if received_at is not self._received_at:
            self._received_at, self._received_us = received_at, to_us(received_at)
        return self._received_us

    def columns(self) -> PlainMessages:
        """What was read, without messages that have a number out of its range."""
        places, deliveries, boot_of, device_ids, received_us = _columns(self._messages, 5)
        message_of, seqs, measured_us, first, counts = (_ints(column) for column in _columns(self._samples, 5))
        sample_of = np.repeat(np.arange(len(counts)), counts)
        metrics = np.arange(len(sample_of)) + (first - (np.cumsum(counts) - counts))[sample_of]
        ids, low, high = self._shapes.columns()
        values = np.array(self._values, np.float64)
        readings = ReadingColumns(
            _ints(device_ids)[message_of[sample_of]],
            ids[metrics],
            measured_us[sample_of],
            values,
            _ints(received_us)[message_of[sample_of]],
            np.zeros(len(values), np.bool_),
            self._state_column(),
        )
        fit = np.ones(len(deliveries), np.bool_)
        fit[message_of[sample_of[(values < low[metrics]) | (values > high[metrics])]]] = False
        boots = tuple(self._boots)
        return PlainMessages(
            deliveries, _ints(places), boots, _ints(boot_of), message_of, seqs, measured_us, sample_of, readings
        ).keep(fit)

    def _state_column(self) -> States | None:
        if not self._states:
            return None
        column = np.full(len(self._values), None, np.object_)
        column[list(self._states)] = list(self._states.values())
        return column


def _parse_text(ts: str) -> int | None:
    try:
        moment = parse_ts(ts)
    except ValueError:
        return None
    return None if moment is None else to_us(moment)


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> Sequence[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * count


def _ints(column: Sequence[int]) -> Ints:
    return np.array(column, np.int64)
