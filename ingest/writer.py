"""The writer: batches into the database, retried until they are committed, then acknowledged."""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from ingest.asking import Asking
from ingest.broker.session import Session
from ingest.database import Database
from ingest.drop_watch import DropWatch
from ingest.fault import FaultFinder, Refusal, Trials
from ingest.forgetting import Forgetting
from ingest.formats.millpond_v1.replies import build_ack
from ingest.health import beat
from ingest.lobby.admission import admit_by_rules
from ingest.lobby.known import store_known
from ingest.nouns import Delivery, Keeping, Limits, Tally
from ingest.sequences.gaps import GapWatch
from ingest.storing.allowance import Allowances
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.door import Door, LobbyLimits
from ingest.storing.known import Known
from ingest.storing.refused import store_refused, try_innocent
from ingest.storing.terms import Terms
from millpond.kernel.clock import Clock, monotonic
from millpond.kernel.crashpoints import crash_point
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import Settings

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_BEAT_S = 1.0
_REST_AFTER_A_LOOK = 50
_RETRY_MAX_S = 2.0
_WAIT_FOR_OTHERS_S = 0.05
# Such an error may well be the message's, so it is looked into at once; any other is often over at the next try.
_OFTEN_THE_MESSAGE = (psycopg.DataError, psycopg.IntegrityError)
_TRIES_WHOLE = 3


class Writer:
    """Stores batches and keeps each until it is committed, whatever the database does meanwhile."""

    def __init__(
        self,
        settings: Settings,
        session: Session,
        clock: Clock,
        stop: threading.Event,
        on_commit: Callable[[], None] | None = None,
    ) -> None:
        # Both at once, so that a look from another thread never sees half of a change.
        self._counts = (Tally(), 0)
        self._settings, self._session, self._clock, self._stop = settings, session, clock, stop
        self._consumer, self._on_commit = settings.consumer, on_commit
        self._database = Database(settings.database_url.get_secret_value())
        self._trials = Trials(self._store, self._takes_innocent, self._database.answers)
        self.gaps = GapWatch(settings)
        self._allowances = Allowances.from_settings(settings)
        self._known = Known()
        self._door = Door(LobbyLimits.from_settings(settings))
        self.drops = DropWatch()
        self._forgetting = Forgetting(settings.consumer)
        self._asking = Asking(settings.ask_again_s)
        self._next_beat = self._next_look = 0.0
        self._said_connected = False
        self._trouble: str | None = None
        self.failures = self.refused = 0
        self._keeping = Keeping.from_settings(settings)
        self._limits = Limits.from_settings(settings)

    def snapshot(self) -> tuple[Tally, int]:
        """What became of items since the start, and how many are decoded and not yet committed."""
        return self._counts

    def store_until_done(self, batch: Sequence[Delivery]) -> None:
        """Store a batch, retrying for as long as it takes; only a message that is proven to be at fault is set aside.

        Returns without an acknowledgement only when asked to stop: then the broker keeps the rest for our return.
        """
        pending, finder, attempt = list(batch), FaultFinder(self._trials), 0
        while pending and not self._stop.is_set():
            try:
                self._store(pending)
                break
            except Exception as error:  # Whatever it is: a writer that ends stops every device.
                attempt += 1
                self._report(error, attempt, len(pending))
                if (attempt >= _TRIES_WHOLE or isinstance(error, _OFTEN_THE_MESSAGE)) and self._database.answers():
                    pending = self._find_the_fault(pending, finder, error)
                if pending:
                    self._wait(attempt)
        self._trouble = None

    def _find_the_fault(self, pending: list[Delivery], finder: FaultFinder, error: Exception) -> list[Delivery]:
        """Store what goes, set aside what is proven to be at fault, and return the rest, which is to be tried again."""
        self._take_along(pending)
        if not finder.any_innocent_is_taken(pending):
            self._say_trouble(Refusal(pending[0], error), len(pending))
            return pending
        sifted = finder.sift(pending)
        aside = {id(refusal.delivery) for refusal in finder.find_guilty(sifted) if self._set_aside(refusal)}
        left = [refusal for refusal in sifted.refused if id(refusal.delivery) not in aside]
        if left:
            self._say_trouble(left[0], len(left))
        return [*sifted.kept, *(refusal.delivery for refusal in left)]

    def _take_along(self, pending: list[Delivery]) -> None:
        """Those that come next are tried too: beside others a message can be told from the database."""
        most, most_bytes = self._settings.batch_max_messages, self._settings.batch_max_bytes
        self._session.inbox.fill(pending[0].lane, pending, most, most_bytes, _WAIT_FOR_OTHERS_S)

    def _store(self, batch: Sequence[Delivery]) -> StoredBatch:
        kept = {"known": self._known, "allowances": self._allowances, "door": self._door}
        remember = self._session.packet_ids(batch[0].lane).in_turn
        stored = self._write(store_batch, batch, remember=remember, on_decoded=self._count_in_flight, **kept)
        self.drops.count(stored.dropped)
        self._settle(batch, stored)
        return stored

    def _takes_innocent(self, delivery: Delivery) -> bool:
        try:
            self._write(try_innocent, delivery)
        except Exception as error:
            _LOG.warning("an innocent message is refused too: %s", error, extra={"event": "innocent_refused"})
            return False
        return True

    def _set_aside(self, refusal: Refusal) -> bool:
        """Quarantine a message at fault, if need be without what may stand in the way: its bulk and its numbers."""
        for bare in (False, True):
            try:
                stored = self._write(store_refused, refusal.delivery, refusal.reason, bare=bare)
            except Exception as error:
                _LOG.warning("a message cannot be set aside: %s", error, extra={"event": "refusal_failed"})
                continue
            self.refused += 1
            extra = {"event": "message_refused", "topic": refusal.delivery.topic, "sqlstate": refusal.sqlstate}
            _LOG.error("a message is set aside, the database takes others: %s", refusal.reason, extra=extra)
            self._settle([refusal.delivery], stored)
            return True
        return False

    def _write(self, use_case: Callable[..., _T], *what: object, **options: object) -> _T:
        conn, at, consumer = self._database.connection(), self._clock.now(), self._consumer
        options |= {"consumer": consumer, "at": at, "keeping": self._keeping, "formats": self._session.formats}
        return use_case(conn, *what, self._limits, **options)

    def _settle(self, batch: Sequence[Delivery], stored: StoredBatch) -> None:
        self._counts = (self._counts[0] + stored.tally, 0)
        self._acknowledge(batch, stored)

    def _count_in_flight(self, items: int) -> None:
        self._counts = (self._counts[0], items)

    def _acknowledge(self, batch: Sequence[Delivery], stored: StoredBatch) -> None:
        """The commit is done: tell the devices, then the broker. A crash before costs a redelivery, never a reading."""
        crash_point("after-commit-before-ack")
        self._session.publish([build_ack(complete) for complete in stored.complete])
        self._session.publish(self._asking.due(stored.asks, monotonic()))
        self._session.acknowledge(batch)
        if self._on_commit is not None:
            self._on_commit()
        _LOG.debug("stored %d messages", len(batch), extra={"event": "batch_stored", "readings": stored.tally.stored})

    def _report(self, error: Exception, attempt: int, messages: int) -> None:
        self.failures += 1
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        extra = {"event": "write_failed", "sqlstate": state, "attempt": attempt}
        known = isinstance(error, psycopg.Error)
        _LOG.error(
            "the database did not take %d messages, they are kept: %s", messages, error, extra=extra, exc_info=not known
        )

    def _say_trouble(self, refusal: Refusal, messages: int) -> None:
        self._trouble = f"the database refuses {messages:,} messages, they are kept: {refusal.reason}"
        extra = {"event": "refused_and_kept", "sqlstate": refusal.sqlstate, "topic": refusal.delivery.topic}
        _LOG.error(self._trouble, extra=extra)

    def _wait(self, attempt: int) -> None:
        self._stop.wait(min(_RETRY_MAX_S, 0.1 * 2 ** min(attempt, 10)) * random.uniform(0.5, 1))
        if self._trouble is not None:
            self._beat_when_due()

    def tend(self) -> None:
        """Once a second: the heartbeat, and gaps to ask for. A database that is away is no harm here."""
        self.drops.tell_when_due()
        self._beat_when_due()

    def _beat_when_due(self) -> None:
        # News of the connection does not wait for the next beat.
        if monotonic() < self._next_beat and self._session.connected == self._said_connected:
            return
        self._next_beat = monotonic() + _BEAT_S
        self._session.ask()
        try:
            conn = self._database.connection()
            self._beat(conn)
            self._forgetting.look(conn, self._session)
            self.gaps.check(conn, self._session.publish)
            self._look_into_the_lobby(conn)
        except psycopg.Error as error:
            _LOG.warning("no heartbeat: %s", error, extra={"event": "beat_failed", "sqlstate": error.sqlstate})

    def _look_into_the_lobby(self, conn: WriteConnection) -> None:
        """Store what waited of devices that are known by now. Looks in vain take a fiftieth of the time, at most."""
        if (began := monotonic()) < self._next_look:
            return
        at, terms = self._clock.now(), Terms(self._limits, self._keeping, self._session.formats)
        admit_by_rules(conn, at=at, most_of_rule=self._settings.lobby_rule_devices_max)
        stored = store_known(conn, terms, at=at)
        self._next_look = 0.0 if stored.messages else began + _REST_AFTER_A_LOOK * (monotonic() - began)
        self._session.publish(build_ack(complete) for complete in stored.complete)

    def _beat(self, conn: WriteConnection) -> None:
        session, connected = self._session, self._session.connected
        beat(
            conn,
            self._consumer,
            epoch=session.epoch,
            connected=connected,
            in_flight=self._counts[1],
            lag_s=session.inbox.lag_s(),
            trouble=self._trouble,
        )
        self._said_connected = connected

    def close(self) -> None:
        """Close the database connection."""
        self._database.close()
