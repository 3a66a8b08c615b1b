"""Months that are over for long are packed: the index of the key is made again, with no room between its entries."""

from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("devices.tiers")
PACKED_AFTER = timedelta(days=14)
"""Late data has become rare by then."""


def pack_months(conn: WriteConnection, at: datetime) -> list[str]:
    """Pack the partitions of `reading` that were over `PACKED_AFTER` before `at`; their names.

    Nobody waits for it, and it may be stopped and run again at any time. Must be called outside a transaction. Where
    the database compresses by itself there is nothing to pack.
    """
    packed = []
    for partition, index in _select_unpacked(conn, at - PACKED_AFTER):
        name, left = sql.Identifier(index), sql.Identifier(f"{index}_ccnew")
        conn.execute(sql.SQL("drop index if exists {}").format(left))
        conn.execute(sql.SQL("alter index {} set (fillfactor = 100)").format(name))
        try:
            conn.execute(sql.SQL("reindex index concurrently {}").format(name))
        except psycopg.Error:
            conn.execute(sql.SQL("alter index {} reset (fillfactor)").format(name))
            raise
        packed.append(partition)
    return packed


def _select_unpacked(conn: ReadConnection, before: datetime) -> list[tuple[str, str]]:
    return conn.execute(_Q["select_unpacked_partitions"], {"before": before}).fetchall()
