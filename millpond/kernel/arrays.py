"""Columns of numbers as PostgreSQL takes them quickest: whole arrays in its binary form, made by numpy.

A list of Python objects costs psycopg some microseconds for each value; an array made here costs some nanoseconds.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# PostgreSQL counts from the year 2000.
POSTGRES_EPOCH_US = 946_684_800_000_000
_NULL = b"\xff\xff\xff\xff"


class Array:
    """A parameter that is an array, in PostgreSQL's binary form; its class says of which type."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _ArrayDumper(Dumper):
    """Hands the bytes on; the dumper of each class of arrays has the `oid` of its type."""

    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj.data


def _make_kind(name: str) -> type[Array]:
    """A class of arrays of this type, which psycopg knows from now on."""
    kind = type(f"{name}[]", (Array,), {"__slots__": ()})
    dumper = type(f"{name}[] dumper", (_ArrayDumper,), {"oid": psycopg.postgres.types[name].array_oid})
    psycopg.adapters.register_dumper(kind, dumper)
    return kind


_KINDS = {name: _make_kind(name) for name in ("int8", "int4", "float8", "bool", "timestamptz", "text")}


def bigints(column: Ints) -> Array:
    """`bigint[]`."""
    return _array("int8", ">i8", column)


def integers(column: Ints) -> Array:
    """`integer[]`; the values fit."""
    return _array("int4", ">i4", column)


def doubles(column: Floats, *, nan_is_null: bool = True) -> Array:
    """`double precision[]`; NaN stands for null, unless it is to be itself."""
    missing = np.isnan(column)
    if nan_is_null and missing.any():
        return _doubles_with_nulls(column, missing)
    return _array("float8", ">f8", column)


def booleans(column: Bools) -> Array:
    """`boolean[]`."""
    return _array("bool", "i1", column)


def moments(column: Ints) -> Array:
    """`timestamptz[]`, of microseconds since 1970."""
    return _array("timestamptz", ">i8", column - POSTGRES_EPOCH_US)


def null_texts(count: int) -> Array:
    """`text[]` of so many nulls."""
    return _pack("text", _NULL * count, count, has_nulls=True)


def array_literal(texts: Iterable[str | None]) -> str:
    """`text[]` as a text: for an array of arrays, which need not be of one length."""
    return "{" + ",".join("null" if text is None else _quote(text) for text in texts) + "}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def to_us(at: datetime) -> int:
    """A moment as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The moment so many microseconds after 1970, in UTC."""
    return _EPOCH + int(us) * _MICROSECOND


def _array(name: str, dtype: str, column: NDArray[np.generic]) -> Array:
    # Each value stands behind its length in bytes.
    elements = np.empty(len(column), [("length", ">i4"), ("value", dtype)])
    elements["length"], elements["value"] = np.dtype(dtype).itemsize, column
    return _pack(name, elements.tobytes(), len(column), has_nulls=False)


def _doubles_with_nulls(column: Floats, missing: Bools) -> Array:
    values = column.astype(">f8").tobytes()
    parts = (
        _NULL if null else b"\0\0\0\x08" + values[8 * row : 8 * row + 8] for row, null in enumerate(missing.tolist())
    )
    return _pack("float8", b"".join(parts), len(column), has_nulls=True)


def _pack(name: str, elements: bytes, count: int, *, has_nulls: bool) -> Array:
    """Dimensions, whether there are nulls, the type of the elements, their number, the first one's index; the elements.

    An empty array has no dimension.
    """
    oid = psycopg.postgres.types[name].oid
    head = [1, has_nulls, oid, count, 1] if count else [0, 0, oid]
    return _KINDS[name](np.array(head, ">i4").tobytes() + elements)
