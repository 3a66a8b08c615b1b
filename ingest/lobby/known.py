"""What waited of a device that is registered by now is stored, as of when it came.

However a device became known, by the lobby, the API, a file or a claim: ingest looks every few seconds who of the lobby
is in the registry, and stores some of what waits at each look, so that what comes live is never held up.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import psycopg

from ingest.lobby.store import count_out, lock_known, lock_waiting, mark_waiting_refused, mark_waiting_stored
from ingest.nouns import Complete, Decoded, Tally
from ingest.storing.batch import store_decoded
from ingest.storing.quarantine import storable
from ingest.storing.registries import decode_again
from ingest.storing.retry_store import KeptMessage
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection

CONSUMER = "lobby"
_LOG = logging.getLogger(__name__)
_AT_ONCE = 500
_DEVICES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of messages that waited: how many, each as often as it came, what of their values, and what their
    devices may forget."""

    messages: int = 0
    tally: Tally = field(default_factory=Tally)
    complete: tuple[Complete, ...] = ()

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(self.messages + other.messages, self.tally + other.tally, self.complete + other.complete)


def store_known(conn: WriteConnection, terms: Terms, *, at: datetime, most: int = _AT_ONCE) -> Stored:
    """Store up to about `most` messages of those who are registered by now, in one transaction.

    Safe to repeat and to run beside others: whom one stores, others leave alone. Raises psycopg.Error when the
    database goes away; what it refuses otherwise stays in quarantine as `refused`.
    """
    total = Stored()
    with conn.transaction():
        for name, serial in lock_known(conn, _DEVICES_AT_ONCE):
            if total.messages >= most:
                break
            total += store_waiting(conn, name, serial, terms, at=at, most=most)
    return total


def store_waiting(
    conn: WriteConnection, name: str, serial: str, terms: Terms, *, at: datetime, most: int = _AT_ONCE
) -> Stored:
    """Store the oldest `most` messages that wait of `name`, which is the device `serial`; the caller has locked it."""
    trial = _Trial(conn, serial, terms, at)
    stored = trial.store(lock_waiting(conn, name, most))
    left = count_out(conn, name, at)
    if stored.messages:
        extra = {"event": "lobby_stored", "serial": serial, "messages": stored.messages, "left": left}
        _LOG.info("stored %d messages of %s that waited in the lobby", stored.messages, serial, extra=extra)
    return stored


@dataclass(frozen=True, slots=True)
class _Trial:
    """Storing messages of one device: all at once, and where the database refuses that, by halves."""

    conn: WriteConnection
    serial: str
    terms: Terms
    at: datetime

    def store(self, messages: Sequence[KeptMessage]) -> Stored:
        if not messages:
            return Stored()
        try:
            with self.conn.transaction():
                return self._store(messages)
        except Exception as error:  # Whatever it is: one that waits must not stop those who do not.
            if self.conn.broken or self.conn.closed:
                raise
            if len(messages) == 1:
                return self._refuse(messages[0], error)
        middle = len(messages) // 2
        return self.store(messages[:middle]) + self.store(messages[middle:])

    def _store(self, messages: Sequence[KeptMessage]) -> Stored:
        batch = self._decode(messages)
        stored = store_decoded(self.conn, batch, self.terms.limits, self.terms.keeping, CONSUMER, self.at)
        heard = {(one.delivery.topic, one.delivery.payload) for one in batch}
        mark_waiting_stored(self.conn, [one for one in messages if (one.topic, one.payload) in heard], self.at)
        for message in messages:
            if (message.topic, message.payload) not in heard:
                mark_waiting_refused(self.conn, message, f"nothing in it is called a name of {self.serial}")
        return Stored(sum(1 + len(one.again) for one in messages), stored.tally, tuple(stored.complete))

    def _decode(self, messages: Sequence[KeptMessage]) -> list[Decoded]:
        """What they become for this device; what they say of others had its outcome when they came."""
        deliveries = [delivery for message in messages for delivery in message.deliveries]
        decoded = decode_again(self.conn, deliveries, self.terms)
        # Nobody sent them now: they answer nothing that the device was asked for.
        return [replace(one, numbers_lost=False) for one in decoded if one.serial == self.serial]

    def _refuse(self, message: KeptMessage, error: Exception) -> Stored:
        known = isinstance(error, psycopg.Error)
        said = error.diag.message_primary or error if isinstance(error, psycopg.Error) else repr(error)
        mark_waiting_refused(self.conn, message, storable(f"the message cannot be stored: {said}"[:500]))
        extra = {"event": "lobby_refused", "serial": self.serial, "topic": message.topic}
        _LOG.error("a message that waited cannot be stored: %s", error, extra=extra, exc_info=not known)
        return Stored(messages=1 + len(message.again))
