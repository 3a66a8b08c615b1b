"""What a query answers as columns of numbers, by binary COPY: a tenth of the cost of fetching rows."""

from collections.abc import Mapping
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from millpond.kernel.db import ReadConnection

Records = NDArray[Any]
_HEADER_BYTES, _TRAILER_BYTES = 19, 2


def copy_records(
    conn: ReadConnection, query: LiteralString, values: Mapping[str, Any], dtype: np.dtype[Any]
) -> Records:
    """The rows of `query` as one structured array.

    Each field of `dtype` is an `i8` or `f8`, in the order of the query's columns, which are `bigint` or `double
    precision` and never null.
    """
    assert dtype.names is not None
    # A count of fields, then a length before each of them; big-endian.
    fields = [(name, dtype[name].newbyteorder(">")) for name in dtype.names]
    columns = [part for name, kind in fields for part in ((f"{name}_bytes", ">i4"), (name, kind))]
    wire = np.dtype([("fields", ">i2"), *columns])
    statement = sql.SQL("copy ({}) to stdout (format binary)").format(sql.SQL(query.rstrip(";")))
    with conn.cursor() as cursor, cursor.copy(statement, values) as copy:
        received = b"".join(copy)
    rows = np.frombuffer(received[_HEADER_BYTES:-_TRAILER_BYTES], dtype=wire)
    records = np.empty(len(rows), dtype=dtype)
    for name in dtype.names:
        records[name] = rows[name]
    return records
