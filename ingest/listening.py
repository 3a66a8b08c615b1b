"""Events of devices from the broker into the database, by a connection and a thread of its own: telemetry never waits.

Committed first, acknowledged then: what was not acknowledged comes again, and counts once.
"""

import logging
import threading
from collections.abc import Sequence

import psycopg

from events.terms import Terms
from ingest.broker.client_id import client_id
from ingest.broker.inbox import Inbox
from ingest.broker.lane import LaneConnection
from ingest.database import Database
from ingest.nouns import Delivery, Lane
from ingest.told import TOPIC_FILTER, keep_refused, store_told
from millpond.kernel.clock import Clock
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.settings import Settings

_LOG = logging.getLogger(__name__)
_BATCH_MAX, _BATCH_MAX_BYTES = 200, 1_048_576
_WAITING_MAX, _WAITING_MAX_BYTES = 2_000, 16_777_216
_RETRY_S = 1.0
_TRIES_WHOLE = 3
# Such an error, of a message that is tried alone, is the message's.
_THE_MESSAGES = (psycopg.DataError, psycopg.IntegrityError)


def run_listening(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Take what devices tell of people until `stop` is set."""
    listening = Listening(settings, clock, stop)
    listening.lane.start()
    try:
        while not stop.is_set():
            batch = listening.inbox.take(_BATCH_MAX, _BATCH_MAX_BYTES, wait_s=0.2)
            if batch:
                listening.store_until_done(batch)
    finally:
        listening.lane.stop()
        listening.database.close()


class Listening:
    """The connection, what waits in it, and its own connection to the database."""

    def __init__(self, settings: Settings, clock: Clock, stop: threading.Event) -> None:
        self._stop = stop
        self._terms = Terms.from_settings(settings)
        self.inbox = Inbox(_WAITING_MAX, _WAITING_MAX_BYTES)
        self.database = Database(settings.database_url.get_secret_value())
        address = settings.broker_address()
        session = client_id(f"{settings.consumer}-events", Lane.BACKFILL, address)
        shard = settings.make_shard()
        self.lane = LaneConnection(Lane.BACKFILL, [TOPIC_FILTER], address, session, self.inbox, clock, shard)

    def store_until_done(self, batch: Sequence[Delivery]) -> None:
        """Store a batch for as long as it takes, and acknowledge it; after some failures message by message."""
        waiting, tries = [list(batch)], 0
        while waiting and not self._stop.is_set():
            try:
                self._store(waiting[0])
            except Exception as error:  # Whatever it is: a thread that ends would leave all devices unheard.
                tries += 1
                _LOG.warning("events of devices wait: %s", error, extra={"event": "events_wait"})
                if len(waiting[0]) > 1 and tries >= _TRIES_WHOLE:
                    waiting = [[delivery] for delivery in waiting[0]]
                elif len(waiting[0]) == 1 and isinstance(error, _THE_MESSAGES):
                    self._set_aside(waiting.pop(0)[0])
                self._stop.wait(_RETRY_S)
            else:
                waiting = waiting[1:]

    def _store(self, batch: Sequence[Delivery]) -> None:
        conn = self.database.connection()
        with conn.transaction():
            store_told(conn, batch, self._terms, at=max(delivery.received_at for delivery in batch))
        crash_point("after-events-before-ack")
        self.lane.acknowledge(batch)

    def _set_aside(self, delivery: Delivery) -> None:
        conn = self.database.connection()
        with conn.transaction():
            keep_refused(conn, delivery, self._terms, at=delivery.received_at)
        self.lane.acknowledge([delivery])
