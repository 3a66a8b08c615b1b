"""The write path: what a batch became, stored in one transaction, every item with exactly one outcome."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import MappingProxyType

from devices.bulk.columns import columns_of
from devices.store import upsert_device_status
from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.nouns import Ask, Complete, Decoded, Delivery, Keeping, Limits, Tally
from ingest.sequences.ranges import group_by_boot
from ingest.sequences.store import Added, note_unreadable, upsert_sequences, watch_gaps
from ingest.storing.allowance import Allowances, Drop
from ingest.storing.door import Caller, Door
from ingest.storing.door_store import upsert_callers
from ingest.storing.outcomes import add_drops, add_to_minute, store_columns
from ingest.storing.quarantine import Kept, RefusedMessage, Room, insert_quarantine, items_of
from ingest.storing.registries import decode_batch
from ingest.storing.times import settle_times
from ingest.storing.turn_watch import watch_turns
from millpond.kernel.db import WriteConnection

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What was committed: outcomes, up to where each touched boot is now safe, and what was dropped unstored.

    `asks` is what the batch makes us ask whoever sent it.
    """

    tally: Tally
    complete: list[Complete]
    dropped: Sequence[Drop] = ()
    asks: Sequence[Ask] = ()


def store_batch(
    conn: WriteConnection,
    deliveries: Sequence[Delivery],
    limits: Limits,
    *,
    consumer: str,
    at: datetime,
    keeping: Keeping = Keeping(),
    formats: Formats = FORMATS,
    allowances: Allowances | None = None,
    door: Door | None = None,
    on_decoded: Callable[[int], None] = lambda _items: None,
) -> StoredBatch:
    """Decode and store deliveries in one transaction; the writer calls it for each batch, and again when it fails.

    Every item has exactly one outcome, and one that was stored before is a duplicate. What is beyond the `allowances`
    of its device, or finds no room behind the `door` for unknown devices, is dropped and counted. `on_decoded` is
    called with how many items are in flight. A psycopg.Error means that nothing was stored.
    """
    allowances, door = allowances or Allowances({}), door or Door()
    with conn.transaction():
        batch = decode_batch(conn, deliveries, formats, limits, keeping)
        entry = door.admit(conn, batch, formats, keeping, at)
        admission = allowances.admit(entry.admitted, keeping, at, free=entry.callers.keys())
        dropped = [*entry.dropped, *admission.dropped]
        on_decoded(sum(decoded.items for decoded in admission.admitted))
        stored = store_decoded(conn, admission.admitted, limits, keeping, consumer, at, dropped, entry.callers)
    allowances.use(admission, at)
    return stored


def store_decoded(
    conn: WriteConnection,
    batch: Sequence[Decoded],
    limits: Limits,
    keeping: Keeping,
    consumer: str,
    at: datetime,
    dropped: Sequence[Drop] = (),
    callers: Mapping[str, Caller] = MappingProxyType({}),
) -> StoredBatch:
    """Store what a batch became, and count what of it was dropped; within the caller's transaction.

    `callers` are those of the batch who wait in the lobby.
    """
    settled = settle_times(conn, batch, limits.clock_past, at)
    may_be_known = any(decoded.delivery.redelivered for decoded in batch)
    tally = store_columns(conn, columns_of(settled.readings), at, may_be_known=may_be_known)
    tally += Tally(duplicate=settled.duplicates) + _count_no_news(batch)
    refused, rooms = _quarantine(conn, batch, keeping)
    tally += refused
    if callers:
        upsert_callers(conn, callers, rooms, at)
    _store_statuses(conn, batch)
    watch_turns(conn, batch, at)
    complete = _store_sequences(conn, batch, limits, at)
    messages = len({id(decoded.delivery) for decoded in batch})
    add_to_minute(conn, consumer, tally, messages, at, dropped=len(dropped))
    if dropped:
        add_drops(conn, dropped, at)
    return StoredBatch(tally, complete, dropped, [ask for decoded in batch for ask in decoded.asks])


def _store_sequences(conn: WriteConnection, batch: Sequence[Decoded], limits: Limits, at: datetime) -> list[Complete]:
    added = Added([], [])
    if boots := group_by_boot(batch):
        added = upsert_sequences(conn, boots, at, limits.boot_ranges_max)
        watch_gaps(conn, boots)
    if unreadable := {(decoded.serial, decoded.boot) for decoded in batch if decoded.numbers_lost}:
        note_unreadable(conn, unreadable)
    for serial, boot in added.overflowing:
        extra = {"event": "too_many_gaps", "serial": serial, "boot": boot}
        _LOG.warning("a boot has more gaps than are kept: its last numbers are not acknowledged", extra=extra)
    return added.complete


def _count_no_news(batch: Sequence[Decoded]) -> Tally:
    no_news = sum(decoded.no_news for decoded in batch)
    if no_news:
        extra = {"event": "retained_passed_over", "values": no_news}
        _LOG.info("%d values of retained messages have no number and no time: not stored again", no_news, extra=extra)
    return Tally(duplicate=no_news, no_news=no_news)


def _quarantine(conn: WriteConnection, batch: Sequence[Decoded], keeping: Keeping) -> tuple[Tally, Mapping[str, Room]]:
    by_delivery: dict[int, list[Decoded]] = {}
    for decoded in batch:
        if decoded.rejections:
            by_delivery.setdefault(id(decoded.delivery), []).append(decoded)
    messages = [_refused_message(results) for results in by_delivery.values()]
    items = sum(item.rejection.items for message in messages for item in message.items)
    kept = insert_quarantine(conn, messages, keeping) if messages else Kept()
    return Tally(quarantined=kept.items, duplicate=items - kept.items), kept.rooms


def _refused_message(results: Sequence[Decoded]) -> RefusedMessage:
    """One message, and what was refused of each of its devices."""
    delivery = results[0].delivery
    return RefusedMessage(delivery.topic, delivery.payload, delivery.received_at, items_of(results), delivery.retained)


def _store_statuses(conn: WriteConnection, batch: Sequence[Decoded]) -> None:
    changes = [(d.device.device_id, d.status, d.delivery.received_at) for d in batch if d.status and d.device]
    # By device, so that two writers never deadlock; sorting is stable, so each device's own order stays.
    for device_id, status, at in sorted(changes, key=itemgetter(0)):
        upsert_device_status(conn, device_id, state=status.state, session=status.session, at=at)
