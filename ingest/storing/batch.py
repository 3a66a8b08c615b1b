"""The write path: what a batch became, stored in one transaction, every item with exactly one outcome."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.nouns import Reading
from devices.readings import ReadingKey, insert_readings, reading_key, select_readings_by_key, upsert_latest
from devices.store import select_devices_by_serial, select_metrics, upsert_device_status
from ingest.formats.millpond_v1.decode import decode_delivery, serial_of
from ingest.nouns import Complete, Decoded, Delivery, Keeping, Limits, Registry, Tally
from ingest.sequences.ranges import group_by_boot
from ingest.sequences.store import Added, note_unreadable, upsert_sequences, watch_gaps
from ingest.storing.allowance import Allowances, Drop
from ingest.storing.outcomes import add_drops, add_to_minute, insert_conflicts
from ingest.storing.quarantine import RefusedItem, RefusedMessage, insert_quarantine, shorten
from ingest.storing.times import settle_times
from ingest.storing.turn_watch import watch_turns
from millpond.kernel.db import ReadConnection, WriteConnection

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What was committed: outcomes, up to where each touched boot is now safe, and what was dropped unstored."""

    tally: Tally
    complete: list[Complete]
    dropped: Sequence[Drop] = ()


def store_batch(
    conn: WriteConnection,
    deliveries: Sequence[Delivery],
    limits: Limits,
    *,
    consumer: str,
    at: datetime,
    keeping: Keeping = Keeping(),
    allowances: Allowances | None = None,
    on_decoded: Callable[[int], None] = lambda _items: None,
) -> StoredBatch:
    """Decode and store deliveries in one transaction. A psycopg.Error means that nothing of them was stored.

    What is beyond the `allowances` of its device is dropped and counted. `on_decoded` hears how many items are now in
    flight.
    """
    allowances = allowances or Allowances({})
    with conn.transaction():
        registry = load_registry(conn, deliveries)
        batch = [decode_kept(delivery, registry, limits, keeping) for delivery in deliveries]
        admission = allowances.admit(batch, registry, keeping, at)
        on_decoded(sum(decoded.items for decoded in admission.admitted))
        stored = store_decoded(conn, admission.admitted, limits, keeping, consumer, at, admission.dropped)
    allowances.use(admission, at)
    return stored


def decode_kept(delivery: Delivery, registry: Registry, limits: Limits, keeping: Keeping) -> Decoded:
    """What one delivery becomes, its rejections shortened at once: a batch of them must fit into memory."""
    decoded = decode_delivery(delivery, registry, limits)
    decoded.rejections = list(shorten(decoded.rejections, keeping.items))
    return decoded


def load_registry(conn: ReadConnection, deliveries: Sequence[Delivery]) -> Registry:
    """What is known of the devices that the deliveries' topics name, as of this transaction."""
    serials = {serial for d in deliveries if (serial := serial_of(d.topic)) is not None}
    return Registry(select_devices_by_serial(conn, sorted(serials)), select_metrics(conn))


def store_decoded(
    conn: WriteConnection,
    batch: Sequence[Decoded],
    limits: Limits,
    keeping: Keeping,
    consumer: str,
    at: datetime,
    dropped: Sequence[Drop] = (),
) -> StoredBatch:
    """Store what a batch became, and count what of it was dropped; within the caller's transaction."""
    settled = settle_times(conn, batch, at)
    tally = _store_readings(conn, settled.readings) + Tally(duplicate=settled.duplicates) + _count_no_news(batch)
    tally += _quarantine(conn, batch, keeping)
    _store_statuses(conn, batch)
    watch_turns(conn, batch, at)
    complete = _store_sequences(conn, batch, limits, at)
    add_to_minute(conn, consumer, tally, len(batch), at, dropped=len(dropped))
    if dropped:
        add_drops(conn, dropped, at)
    return StoredBatch(tally, complete, dropped)


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


def _store_readings(conn: WriteConnection, readings: Sequence[Reading]) -> Tally:
    """Store what is new; what is not is a duplicate when it says the same, and a conflict when it does not."""
    first: dict[ReadingKey, Reading] = {}
    repeated: list[Reading] = []
    for reading in readings:
        if first.setdefault(reading_key(reading), reading) is not reading:
            repeated.append(reading)
    new = insert_readings(conn, [first[key] for key in sorted(first)])
    upsert_latest(conn, (first[key] for key in new))
    repeated += [reading for key, reading in first.items() if key not in new]
    if not repeated:
        return Tally(stored=len(new))
    stored = select_readings_by_key(conn, list({reading_key(r): None for r in repeated}))
    differing = [r for r in repeated if not _same(r, stored[reading_key(r)])]
    conflicts = insert_conflicts(conn, differing) if differing else 0
    return Tally(stored=len(new), conflict=conflicts, duplicate=len(repeated) - conflicts)


def _same(one: Reading, other: Reading) -> bool:
    # A time of ours that meets a device's own is of another sample, also where both say the same.
    return (one.value, one.state, one.corrected) == (other.value, other.state, other.corrected)


def _quarantine(conn: WriteConnection, batch: Sequence[Decoded], keeping: Keeping) -> Tally:
    messages = [_refused_message(decoded) for decoded in batch if decoded.rejections]
    items = sum(item.rejection.items for message in messages for item in message.items)
    new = insert_quarantine(conn, messages, keeping) if messages else 0
    return Tally(quarantined=new, duplicate=items - new)


def _refused_message(decoded: Decoded) -> RefusedMessage:
    boot = decoded.seqs[0].boot if decoded.seqs else None
    items = [RefusedItem(decoded.serial, rejection, boot) for rejection in decoded.rejections]
    return RefusedMessage(decoded.delivery.topic, decoded.delivery.payload, decoded.delivery.received_at, items)


def _store_statuses(conn: WriteConnection, batch: Sequence[Decoded]) -> None:
    changes = [(d.serial, d.status, d.delivery.received_at) for d in batch if d.status is not None]
    devices = select_devices_by_serial(conn, sorted({serial for serial, _, _ in changes})) if changes else {}
    # By device, so that two writers never deadlock; sorting is stable, so each device's own order stays.
    for serial, status, at in sorted(changes, key=lambda change: change[0]):
        if serial in devices:
            upsert_device_status(conn, devices[serial].device_id, state=status.state, session=status.session, at=at)
