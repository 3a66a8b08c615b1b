"""Readings as the rows of a binary COPY, made by numpy: every row with a number has the same shape."""

import struct

import numpy as np

from devices.bulk.columns import ReadingColumns
from millpond.kernel.arrays import POSTGRES_EPOCH_US

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL = b"\xff\xff"
_FIELDS = 7
_NULL = -1
# Each field stands behind its length in bytes.
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("device_length", ">i4"),
        ("device_id", ">i8"),
        ("metric_length", ">i4"),
        ("metric_id", ">i4"),
        ("measured_length", ">i4"),
        ("measured_at", ">i8"),
        ("value_length", ">i4"),
        ("value", ">f8"),
        ("state_length", ">i4"),
        ("received_length", ">i4"),
        ("received_at", ">i8"),
        ("corrected_length", ">i4"),
        ("corrected", "i1"),
    ]
)
_BEFORE_STATE = struct.Struct(">hiqiiiqi")
_AFTER_STATE = struct.Struct(">iqi?")


def copy_rows(columns: ReadingColumns) -> bytes:
    """What COPY reads: device, metric, measured_at, value, state, received_at, corrected; numbers before states."""
    if columns.states is None:
        return b"".join((_HEAD, _number_rows(columns), _TAIL))
    is_state = columns.is_state
    numbers, states = columns.take(~is_state), columns.take(is_state)
    return b"".join((_HEAD, _number_rows(numbers), *_state_rows(states), _TAIL))


def _number_rows(columns: ReadingColumns) -> bytes:
    rows = np.empty(len(columns), _ROW)
    rows["fields"], rows["state_length"] = _FIELDS, _NULL
    rows["device_length"], rows["device_id"] = 8, columns.device_ids
    rows["metric_length"], rows["metric_id"] = 4, columns.metric_ids
    rows["measured_length"], rows["measured_at"] = 8, columns.measured_us - POSTGRES_EPOCH_US
    rows["value_length"], rows["value"] = 8, columns.values
    rows["received_length"], rows["received_at"] = 8, columns.received_us - POSTGRES_EPOCH_US
    rows["corrected_length"], rows["corrected"] = 1, columns.corrected
    return rows.tobytes()


def _state_rows(columns: ReadingColumns) -> list[bytes]:
    rows = zip(
        columns.device_ids.tolist(),
        columns.metric_ids.tolist(),
        (columns.measured_us - POSTGRES_EPOCH_US).tolist(),
        (columns.received_us - POSTGRES_EPOCH_US).tolist(),
        columns.corrected.tolist(),
        () if columns.states is None else columns.states.tolist(),
        strict=True,
    )
    return [_state_row(*row) for row in rows]


def _state_row(
    device_id: int, metric_id: int, measured_at: int, received_at: int, corrected: bool, state: str
) -> bytes:
    text = state.encode()
    before = _BEFORE_STATE.pack(_FIELDS, 8, device_id, 4, metric_id, 8, measured_at, _NULL)
    after = _AFTER_STATE.pack(8, received_at, 1, corrected)
    return b"".join((before, struct.pack(">i", len(text)), text, after))
