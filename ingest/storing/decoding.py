"""Deliveries to what they become: nearly all by column, and those that may need care one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ingest.formats.format import Formats
from ingest.nouns import Decoded, Delivery, Keeping, Limits
from ingest.plain import NO_PLAIN_MESSAGES, PlainMessages
from ingest.storing.boot_store import select_notable_boots
from ingest.storing.known import Known
from ingest.storing.registries import decode_each
from millpond.kernel.arrays import Bools
from millpond.kernel.db import WriteConnection


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a batch became: `plain` messages by column, and the results of the others.

    `places` says, by the identity of its delivery, where in the batch a result's message was. `changed` are devices of
    plain messages with a boot that is not the live one.
    """

    careful: Sequence[Decoded]
    plain: PlainMessages = NO_PLAIN_MESSAGES
    places: Mapping[int, int] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()

    @property
    def is_redelivered(self) -> bool:
        """Whether the broker says of any message that it may have come before."""
        came = (*self.plain.deliveries, *(decoded.delivery for decoded in self.careful))
        return any(delivery.redelivered for delivery in came)

    def place(self, delivery: Delivery) -> int:
        """Where in the batch a result's message was."""
        return self.places.get(id(delivery), 0)


def decode_plain_first(
    conn: WriteConnection,
    deliveries: Sequence[Delivery],
    formats: Formats,
    limits: Limits,
    keeping: Keeping,
    known: Known,
) -> Batch:
    """What deliveries become, by what is known of their devices as of this transaction.

    A device's plain messages go the careful way too when any of its samples has a doubtful time, now or before: then
    times are settled sample by sample.
    """
    known.renew(conn)
    plain = _read_plain(conn, deliveries, formats, limits, known)
    notable = select_notable_boots(conn, plain.boots)
    plain = plain.keep(~plain.is_of(notable.with_made_up_times))
    careful: dict[int, list[Decoded]] = {}

    def decode(messages: Bools) -> None:
        places = np.flatnonzero(messages).tolist()
        each = decode_each(conn, [deliveries[place] for place in places], formats, limits, keeping, known)
        careful.update(zip(places, each, strict=True))

    decode(_without(len(deliveries), plain))
    doubtful = plain.is_of(d.serial for results in careful.values() for d in results if _is_doubtful(d))
    if doubtful.any():
        before, plain = plain, plain.keep(~doubtful)
        decode(_without(len(deliveries), plain) & ~_without(len(deliveries), before))
    placed = [(place, decoded) for place in sorted(careful) for decoded in careful[place]]
    places = {id(decoded.delivery): place for place, decoded in placed}
    return Batch([decoded for _, decoded in placed], plain, places, notable.not_live)


def _read_plain(
    conn: WriteConnection, deliveries: Sequence[Delivery], formats: Formats, limits: Limits, known: Known
) -> PlainMessages:
    if formats.plain is None:
        return NO_PLAIN_MESSAGES
    serials = [formats.plain.serial(delivery.topic) for delivery in deliveries]
    known.look_up(conn, (serial for serial in serials if serial is not None))
    return formats.plain.read(deliveries, serials, known.devices, known.shapes, limits)


def _without(count: int, plain: PlainMessages) -> Bools:
    """Which of so many deliveries are not plain."""
    others = np.ones(count, np.bool_)
    others[plain.places] = False
    return others


def _is_doubtful(decoded: Decoded) -> bool:
    return any(one.reading.corrected for one in decoded.readings)
