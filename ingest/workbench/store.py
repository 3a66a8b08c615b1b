"""One function, one statement: what is refused, and what it was mended to."""

from dataclasses import asdict
from datetime import UTC, datetime

from psycopg.rows import class_row

from ingest.storing.quarantine import digest_of
from ingest.storing.retry_store import KeptMessage
from ingest.workbench.nouns import Edit, Filter, RefusedGroup, RefusedItem
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries

_Q = load_queries("ingest.workbench")
ALL = Filter()
_AFTER_ALL = (datetime(9999, 1, 1, tzinfo=UTC), 0)


def select_refused_items(
    conn: ReadConnection, chosen: Filter = ALL, *, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[RefusedItem]:
    """Up to `limit` refused items after `before` (received_at, quarantine_id), newest first."""
    before_at, before_id = before or _AFTER_ALL
    values = asdict(chosen) | {"before_at": before_at, "before_id": before_id, "most": limit}
    with conn.cursor(row_factory=class_row(RefusedItem)) as cursor:
        return cursor.execute(_Q["select_refused_items"], values).fetchall()


def select_refused_groups(conn: ReadConnection, *, limit: int = 200) -> list[RefusedGroup]:
    """What is refused by its reason and its device's model, most first."""
    with conn.cursor(row_factory=class_row(RefusedGroup)) as cursor:
        return cursor.execute(_Q["select_refused_groups"], {"most": limit}).fetchall()


def select_refused_message(conn: ReadConnection, quarantine_id: int) -> KeptMessage | None:
    """The whole message of a refused item."""
    with conn.cursor(row_factory=class_row(KeptMessage)) as cursor:
        return cursor.execute(_Q["select_refused_message"], {"quarantine_id": quarantine_id}).fetchone()


def lock_refused_message(conn: WriteConnection, message: KeptMessage) -> None:
    """Keep others from mending it until the commit."""
    conn.execute(_Q["lock_refused_message"], {"digest": message.digest})


def select_items_of_message(conn: ReadConnection, message: KeptMessage) -> list[RefusedItem]:
    """All that was refused of a message."""
    with conn.cursor(row_factory=class_row(RefusedItem)) as cursor:
        return cursor.execute(_Q["select_items_of_message"], {"digest": message.digest}).fetchall()


def insert_edit(conn: WriteConnection, message: KeptMessage, edit: Edit) -> None:
    """Keep what a message was mended to; the same once."""
    values = {
        "digest": message.digest,
        "edited": digest_of(edit.topic, edit.payload),
        "topic": edit.topic,
        "payload": edit.payload,
        "note": edit.note,
        "at": edit.edited_at,
        "by": edit.edited_by,
    }
    conn.execute(_Q["insert_edit"], values)


def select_edits(conn: ReadConnection, message: KeptMessage) -> list[Edit]:
    """What a message was mended to, the last first."""
    with conn.cursor(row_factory=class_row(Edit)) as cursor:
        return cursor.execute(_Q["select_edits"], {"digest": message.digest}).fetchall()


def select_refused_lately(conn: ReadConnection, since: datetime) -> int:
    """How many items were refused since then, by the minute."""
    [(items,)] = conn.execute(_Q["select_refused_lately"], {"since": since}).fetchall()
    return int(items)
