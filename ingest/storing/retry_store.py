"""One function, one statement: what lies in quarantine and may be stored after all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from psycopg.rows import class_row

from ingest.nouns import Delivery, Lane
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("ingest.storing")


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message of which something is refused; `quarantine_id` is its first such item, which came `again` at these
    times; `retained` says that the broker had kept it when it came first."""

    digest: bytes
    topic: str
    payload: bytes
    size_bytes: int
    retained: bool
    received_at: datetime
    quarantine_id: int
    again: Sequence[datetime] = ()

    @property
    def deliveries(self) -> list[Delivery]:
        """It as it came, once for each time; nobody sends it now, so its lane is the one that waits."""
        times = enumerate([self.received_at, *self.again])
        return [
            Delivery(
                self.topic, self.payload, at, Lane.BACKFILL, 0, 0, 0, retained=self.retained and not n, redelivered=True
            )
            for n, at in times
        ]

    @property
    def is_whole(self) -> bool:
        """Whether all of its bytes were kept."""
        return len(self.payload) == self.size_bytes


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which refused items: by the code they were refused with, and if need be of one model or serial."""

    code: str
    model: str | None = None
    serial: str | None = None


def count_to_retry(conn: ReadConnection, chosen: Chosen) -> int:
    """How many messages have such items, and they are not stored yet."""
    [(count,)] = conn.execute(_Q["count_to_retry"], asdict(chosen)).fetchall()
    return int(count)


def lock_open_items(conn: WriteConnection, message: KeptMessage) -> tuple[KeptMessage, set[str]]:
    """What of a message is refused still, of any device, for this transaction alone: whoever else stores the message
    waits, and then finds nothing to store. Also returns the message with the times at which it came by now."""
    rows = conn.execute(_Q["lock_open_items"], {"digest": message.digest}).fetchall()
    for quarantine_id, _, received_at, again in rows:
        if quarantine_id == message.quarantine_id:
            message = replace(message, received_at=received_at, again=again)
    return message, {str(item) for _, item, *_ in rows}


def count_reasons_to_retry(conn: ReadConnection) -> dict[str, int]:
    """How many messages wait in quarantine by the code they were refused with, most first; rows of files do not."""
    return dict(conn.execute(_Q["count_reasons_to_retry"]).fetchall())


def select_to_retry(
    conn: ReadConnection, chosen: Chosen, *, after: tuple[datetime, int], most: int
) -> list[KeptMessage]:
    """Up to `most` of them after `after` (received_at, quarantine_id), oldest first."""
    values = asdict(chosen) | {"after_at": after[0], "after_id": after[1], "most": most}
    with conn.cursor(row_factory=class_row(KeptMessage)) as cursor:
        return cursor.execute(_Q["select_to_retry"], values).fetchall()


def mark_stored(
    conn: WriteConnection, digest: bytes, code: str | None, refused: Sequence[tuple[str, str]], at: datetime
) -> int:
    """Say that the message's items of a code (of any, without one) are stored, all but those (serial, item) that are
    refused again; returns how many these are."""
    serials, items = [serial for serial, _ in refused], [item for _, item in refused]
    values = {"digest": digest, "code": code, "serials": serials, "items": items, "at": at}
    [(count,)] = conn.execute(_Q["mark_stored"], values).fetchall()
    return int(count)
