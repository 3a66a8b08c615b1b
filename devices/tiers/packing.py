"""Months that are over for long are packed: the index of the key is made again, with no room between its entries."""

from datetime import datetime, timedelta

from psycopg import sql

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("devices.tiers")
PACKED_AFTER = timedelta(days=14)
"""Late data has become rare by then."""


def pack_months(conn: WriteConnection, at: datetime) -> list[str]:
    """Pack the partitions of `reading` that were over `PACKED_AFTER` before `at`; their names.

    Nobody waits for it, and it may be stopped or killed and run again at any time: 99 while an index is made, which it
    takes over, and 100 once it is there, say how far it came. Must be called outside a transaction. Where the database
    compresses by itself there is nothing to pack.
    """
    packed = []
    for partition, index in _select_unpacked(conn, at - PACKED_AFTER):
        name = sql.Identifier(index)
        for left in ("ccnew", "ccold"):
            conn.execute(sql.SQL("drop index if exists {}").format(sql.Identifier(f"{index}_{left}")))
        conn.execute(sql.SQL("alter index {} set (fillfactor = 99)").format(name))
        conn.execute(sql.SQL("reindex index concurrently {}").format(name))
        conn.execute(sql.SQL("alter index {} set (fillfactor = 100)").format(name))
        packed.append(partition)
    return packed


def _select_unpacked(conn: ReadConnection, before: datetime) -> list[tuple[str, str]]:
    return conn.execute(_Q["select_unpacked_partitions"], {"before": before}).fetchall()
