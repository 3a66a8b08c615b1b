"""The write path: what a batch became, stored in one transaction, every item with exactly one outcome."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter
from types import MappingProxyType

import numpy as np

from devices.bulk.columns import ReadingColumns, columns_of, concatenate
from devices.store import upsert_device_status
from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.nouns import Ask, Complete, Decoded, Delivery, Keeping, Limits, Tally
from ingest.storing.allowance import UNREGISTERED, Allowances, Drop
from ingest.storing.decoding import Batch, decode_plain_first
from ingest.storing.door import Caller, Door
from ingest.storing.door_store import upsert_callers
from ingest.storing.known import Known
from ingest.storing.numbers import store_numbers
from ingest.storing.outcomes import add_drops, add_to_minute, store_columns
from ingest.storing.quarantine import Kept, RefusedMessage, Room, insert_quarantine, items_of
from ingest.storing.time_store import update_boot_starts
from ingest.storing.times import NOTHING_TO_SETTLE, Settled, settle_times
from ingest.storing.turn_watch import watch_turns
from ingest.storing.untimed import Sifted, sift_untimed
from millpond.kernel.db import WriteConnection

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What was committed: outcomes, up to where each touched boot is now safe, and what was dropped unstored.

    `asks` is what the batch makes us ask whoever sent it, `conflicts` how many new ones a device has, `times` how many
    of its samples were given a time of ours, and `kept` about how many bytes of it are newly in quarantine, by serial.
    """

    tally: Tally
    complete: list[Complete]
    dropped: Sequence[Drop] = ()
    asks: Sequence[Ask] = ()
    conflicts: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)


def store_batch(
    conn: WriteConnection,
    deliveries: Sequence[Delivery],
    limits: Limits,
    *,
    consumer: str,
    at: datetime,
    keeping: Keeping = Keeping(),
    formats: Formats = FORMATS,
    known: Known | None = None,
    allowances: Allowances | None = None,
    door: Door | None = None,
    remember: bool = False,
    on_decoded: Callable[[int], None] = lambda _items: None,
) -> StoredBatch:
    """Decode and store deliveries in one transaction; the writer calls it for each batch, and again when it fails.

    Every item has exactly one outcome, and one that was stored before is a duplicate. What is beyond the `allowances`
    of its device, or finds no room behind the `door` for unknown devices, is dropped and counted. `known` is what was
    remembered of the registry. With `remember` the deliveries are of the session of `consumer`, and of messages whose
    values have neither number nor time it is kept that they were stored. `on_decoded` is called with how many items are
    in flight. A psycopg.Error means that nothing was stored.
    """
    known, allowances, door = known or Known(), allowances or Allowances({}), door or Door()
    with conn.transaction():
        batch = decode_plain_first(conn, deliveries, formats, limits, keeping, known)
        entry = door.admit(conn, batch.careful, formats, keeping, at)
        admission = allowances.admit(entry.admitted, keeping, at, free=entry.callers.keys(), plain=batch.plain)
        dropped = [*entry.dropped, *admission.dropped]
        batch = replace(batch, careful=admission.careful, plain=admission.plain)
        on_decoded(sum(decoded.items for decoded in batch.careful) + len(batch.plain.readings))
        sifted = sift_untimed(conn, batch.careful, consumer) if remember else Sifted(batch.careful)
        batch = replace(batch, careful=sifted.careful)
        stored = _store(conn, batch, limits, keeping, consumer, at, dropped, entry.callers, sifted.duplicates)
    allowances.use(admission, at, stored.conflicts, stored.times, stored.kept)
    return stored


def store_decoded(
    conn: WriteConnection, careful: Sequence[Decoded], limits: Limits, keeping: Keeping, consumer: str, at: datetime
) -> StoredBatch:
    """Store what messages became that were all read one by one; within the caller's transaction."""
    return _store(conn, Batch(careful), limits, keeping, consumer, at)


def _store(
    conn: WriteConnection,
    batch: Batch,
    limits: Limits,
    keeping: Keeping,
    consumer: str,
    at: datetime,
    dropped: Sequence[Drop] = (),
    callers: Mapping[str, Caller] = MappingProxyType({}),
    duplicates: int = 0,
) -> StoredBatch:
    """`callers` are those of the batch who wait in the lobby, `duplicates` values that were left out of it."""
    careful = batch.careful
    settled = settle_times(conn, careful, limits.clock_past, at) if careful else NOTHING_TO_SETTLE
    tally, conflicts = store_columns(conn, _all_readings(batch, settled), at, may_be_known=batch.is_redelivered)
    tally += Tally(duplicate=settled.duplicates + duplicates) + _count_no_news(careful)
    refused, rooms = _quarantine(conn, careful, keeping)
    tally += refused
    if callers:
        upsert_callers(conn, callers, rooms, at)
    _store_statuses(conn, careful)
    watch_turns(conn, batch, at)
    complete = store_numbers(conn, batch, limits, at)
    if settled.boot_starts:
        update_boot_starts(conn, settled.boot_starts)
    messages = len({id(decoded.delivery) for decoded in careful}) + len(batch.plain)
    waiting = sum(room.items for name, room in rooms.items() if name in callers)
    add_to_minute(conn, consumer, tally, messages, at, waiting=waiting, dropped=len(dropped))
    if dropped:
        add_drops(conn, dropped, at)
    asks = [ask for decoded in careful for ask in decoded.asks]
    return StoredBatch(tally, complete, dropped, asks, conflicts, settled.times, _kept_bytes(careful, rooms, callers))


def _all_readings(batch: Batch, settled: Settled) -> ReadingColumns:
    """In the order in which their messages came: of two with one key the first one is stored."""
    if not settled.readings:
        return batch.plain.readings
    columns = columns_of(settled.readings)
    if not len(batch.plain):
        return columns
    places = np.array([batch.place(delivery) for delivery in settled.deliveries], np.int64)
    order = np.argsort(np.concatenate([batch.plain.reading_places, places]), kind="stable")
    return concatenate([batch.plain.readings, columns]).take(order)


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


def _kept_bytes(
    batch: Sequence[Decoded], rooms: Mapping[str, Room], callers: Mapping[str, Caller]
) -> Mapping[str, int]:
    """By who is charged for it: a device, or all who are of nobody together; the lobby bounds its own."""
    registered = {decoded.serial for decoded in batch if decoded.device is not None}
    kept = Counter[str]()
    for name, room in rooms.items():
        if name not in callers:
            kept[name if name in registered else UNREGISTERED] += room.bytes
    return kept


def _refused_message(results: Sequence[Decoded]) -> RefusedMessage:
    """One message, and what was refused of each of its devices."""
    delivery = results[0].delivery
    return RefusedMessage(delivery.topic, delivery.payload, delivery.received_at, items_of(results), delivery.retained)


def _store_statuses(conn: WriteConnection, batch: Sequence[Decoded]) -> None:
    changes = [(d.device.device_id, d.status, d.delivery.received_at) for d in batch if d.status and d.device]
    # By device, so that two writers never deadlock; sorting is stable, so each device's own order stays.
    for device_id, status, at in sorted(changes, key=itemgetter(0)):
        upsert_device_status(conn, device_id, state=status.state, session=status.session, at=at)
