"""The writer's own connection to the database, opened again whenever it broke."""

import psycopg

from millpond.kernel.db import WriteConnection, connect, load_queries

_Q = load_queries("ingest")


class Database:
    """One connection at a time, and a way to ask whether the server is there at all."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._conn: WriteConnection | None = None

    def connection(self) -> WriteConnection:
        """A connection that was not seen to be broken; raises psycopg.OperationalError while the server is away."""
        if self._conn is None or self._conn.closed or self._conn.broken:
            self._conn = connect(self._dsn, application="millpond-ingest")
        return self._conn

    def answers(self) -> bool:
        """Whether a trivial statement works on a fresh connection: then a failure was not the server's absence."""
        try:
            with connect(self._dsn, application="millpond-ingest") as conn:
                conn.execute(_Q["select_answer"])
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Close the connection; safe to repeat."""
        if self._conn is not None:
            self._conn.close()
