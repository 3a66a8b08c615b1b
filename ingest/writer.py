"""The writer: batches into the database, retried until they are committed, then acknowledged."""

import logging
import random
import threading
from collections.abc import Sequence
from datetime import timedelta

import psycopg

from devices.wire import Ack, build_topic
from ingest.decode import Limits
from ingest.delivery import Delivery
from ingest.gaps import GapWatch
from ingest.quarantine import Keeping
from ingest.session import Session
from ingest.store import beat
from ingest.tally import Tally
from ingest.write import StoredBatch, store_batch, store_refused
from millpond.kernel.clock import Clock, monotonic
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import Settings

_LOG = logging.getLogger(__name__)
_BEAT_S = 1.0
_RETRY_MAX_S = 2.0
# The message itself is at fault: a value the column does not take, a rule of the schema.
_FAULT_OF_THE_MESSAGE = (psycopg.DataError, psycopg.IntegrityError)


class Database:
    """The writer's own connection, opened again whenever it broke."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._conn: WriteConnection | None = None

    def connection(self) -> WriteConnection:
        """A connection that was not seen to be broken; raises psycopg.OperationalError while the server is away."""
        if self._conn is None or self._conn.closed or self._conn.broken:
            self._conn = connect(self._dsn, application="millpond-ingest")
        return self._conn

    def close(self) -> None:
        """Close the connection; safe to repeat."""
        if self._conn is not None:
            self._conn.close()


class Writer:
    """Stores batches and keeps each until it is committed, whatever the database does meanwhile."""

    def __init__(self, settings: Settings, session: Session, clock: Clock, stop: threading.Event) -> None:
        # Both at once, so that a look from another thread never sees half of a change.
        self._counts = (Tally(), 0)
        self._settings, self._session, self._clock, self._stop = settings, session, clock, stop
        self._database = Database(settings.database_url.get_secret_value())
        self._gaps = GapWatch()
        self._next_beat = 0.0
        self._said_connected = False
        self._keeping = Keeping.from_settings(settings)
        self._limits = Limits(
            settings.payload_max_bytes,
            timedelta(days=settings.clock_past_days),
            timedelta(minutes=settings.clock_future_minutes),
        )

    def snapshot(self) -> tuple[Tally, int]:
        """What became of items since the start, and how many are decoded and not yet committed."""
        return self._counts

    def store_until_done(self, batch: Sequence[Delivery], refused_because: str | None = None) -> None:
        """Store a batch, retrying for as long as the database is away; a batch that is at fault is split.

        Returns without an acknowledgement only when asked to stop: then the broker keeps the batch for our return.
        """
        attempt = 0
        while not self._stop.is_set():
            try:
                self._store(batch, refused_because)
                return
            except psycopg.Error as error:
                if isinstance(error, _FAULT_OF_THE_MESSAGE) and refused_because is None:
                    self._split(batch, error)
                    return
                attempt += 1
                self._wait_for_the_database(error, attempt, len(batch))

    def _store(self, batch: Sequence[Delivery], refused_because: str | None) -> None:
        conn, at, consumer = self._database.connection(), self._clock.now(), self._settings.consumer_id
        if refused_because is None:
            stored = store_batch(
                conn,
                batch,
                self._limits,
                consumer=consumer,
                at=at,
                keeping=self._keeping,
                on_decoded=self._count_in_flight,
            )
        else:
            stored = store_refused(
                conn, batch[0], refused_because, self._limits, consumer=consumer, at=at, keeping=self._keeping
            )
        self._counts = (self._counts[0] + stored.tally, 0)
        self._acknowledge(batch, stored)

    def _count_in_flight(self, items: int) -> None:
        self._counts = (self._counts[0], items)

    def _split(self, batch: Sequence[Delivery], error: psycopg.Error) -> None:
        """Halve a batch that the database refused, down to the message at fault, which is quarantined."""
        if len(batch) == 1:
            self.store_until_done(batch, refused_because=error.diag.message_primary or type(error).__name__)
            return
        middle = len(batch) // 2
        self.store_until_done(batch[:middle])
        self.store_until_done(batch[middle:])

    def _acknowledge(self, batch: Sequence[Delivery], stored: StoredBatch) -> None:
        """The commit is done: tell the devices, then the broker. A crash before costs a redelivery, never a reading."""
        crash_point("after-commit-before-ack")
        for complete in stored.complete:
            ack = Ack(boot=complete.boot, seq=complete.seq)
            self._session.publish(build_topic(complete.serial, "ack"), ack.model_dump_json().encode())
        self._session.acknowledge(batch)
        _LOG.debug("stored %d messages", len(batch), extra={"event": "batch_stored", "readings": stored.tally.stored})

    def _wait_for_the_database(self, error: psycopg.Error, attempt: int, messages: int) -> None:
        delay = min(_RETRY_MAX_S, 0.1 * 2 ** min(attempt, 10)) * random.uniform(0.5, 1)
        _LOG.error(
            "the database did not take %d messages, they are kept: %s",
            messages,
            error,
            extra={"event": "write_failed", "sqlstate": error.sqlstate, "attempt": attempt, "retry_in_s": delay},
        )
        self._stop.wait(delay)

    def keep_house(self) -> None:
        """Once a second: the heartbeat, gaps to ask for, lanes to resume. A database that is away is no harm here."""
        self._session.resume_when_drained()
        # News of the connection does not wait for the next beat.
        if monotonic() < self._next_beat and self._session.connected == self._said_connected:
            return
        self._next_beat = monotonic() + _BEAT_S
        self._session.ask()
        try:
            conn = self._database.connection()
            self._beat(conn)
            self._gaps.ask(conn, self._session.publish, self._clock.now())
        except psycopg.Error as error:
            _LOG.warning("no heartbeat: %s", error, extra={"event": "beat_failed", "sqlstate": error.sqlstate})

    def _beat(self, conn: WriteConnection) -> None:
        session, connected = self._session, self._session.connected
        consumer, in_flight = self._settings.consumer_id, self._counts[1]
        beat(
            conn,
            consumer,
            epoch=session.epoch,
            connected=connected,
            in_flight=in_flight,
            lag_s=session.inbox.lag_s(),
        )
        self._said_connected = connected

    def close(self) -> None:
        """Close the database connection."""
        self._database.close()
