"""Messages with values that say neither their number nor when they were measured: what of them is delivered again.

Nothing in such a message tells a second delivery from a new message with equal bytes; the broker does. It delivers
again what was not acknowledged, says so (DUP, MQTT 3.3.1.1), and uses the same packet id (4.4). So the packet id and
the digest of each such message are kept in the transaction that stores it. One that is delivered again and is kept was
stored. The same delivery, tried again because nobody knows whether the database committed it, is known by its time.

A packet id names another message once it was acknowledged, and an equal one may come under it. Brokers count packet
ids in turn, so that this is 65,535 messages later: ids that come next are forgotten long before. A broker that does not
count in turn is not trusted with any of this, nor is what is known of a session that the broker no longer has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.nouns import Decoded, DecodedReading, Delivery
from ingest.storing.quarantine import digest_of
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest.storing")


@dataclass(frozen=True, slots=True)
class Sifted:
    """Results without the values that were stored at an earlier delivery, and how many those were."""

    careful: Sequence[Decoded]
    duplicates: int = 0


def sift_untimed(conn: WriteConnection, careful: Sequence[Decoded], consumer: str) -> Sifted:
    """Keep which messages with such values are stored by this transaction; leave out what was stored before."""
    messages = {id(decoded.delivery): decoded.delivery for decoded in careful if _is_owed(decoded)}
    known = {id(one) for few in _once_each(list(messages.values())) for one in _claim(conn, few, consumer)}
    if not known:
        return Sifted(careful)
    left = [_without_untimed(decoded) if id(decoded.delivery) in known else decoded for decoded in careful]
    duplicates = sum(len(before.readings) - len(after.readings) for before, after in zip(careful, left, strict=True))
    return Sifted(left, duplicates)


def _is_owed(decoded: Decoded) -> bool:
    """Whether a message may come again and has such values, or those of a device that may be registered by then."""
    if decoded.delivery.qos != 1:
        return False
    waits = decoded.device is None and bool(decoded.serial) and bool(decoded.rejections) and not decoded.seqs
    return waits or any(_is_untimed(one) for one in decoded.readings)


def _is_untimed(one: DecodedReading) -> bool:
    return one.sample is None and one.reading.corrected


def _without_untimed(decoded: Decoded) -> Decoded:
    return replace(decoded, readings=[one for one in decoded.readings if not _is_untimed(one)])


def _once_each(messages: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """The messages in turns with no packet id twice: a batch may hold what came before and after a reconnect."""
    left = list(messages)
    while left:
        first = {delivery.mid: delivery for delivery in reversed(left)}
        yield list(first.values())
        left = [delivery for delivery in left if first[delivery.mid] is not delivery]


def _claim(conn: WriteConnection, messages: Sequence[Delivery], consumer: str) -> list[Delivery]:
    """Keep these messages, all of one lane; returns those that were stored before."""
    values = {
        "consumer": consumer,
        "lane": messages[0].lane.name.lower(),
        "packet_ids": [delivery.mid for delivery in messages],
        "digests": [digest_of(delivery.topic, delivery.payload) for delivery in messages],
        "received_ats": [delivery.received_at for delivery in messages],
        "again": [delivery.mid for delivery in messages if delivery.redelivered],
    }
    came: dict[int, int] = dict(conn.execute(_Q["claim_untimed_messages"], values).fetchall())
    return [delivery for delivery in messages if came[delivery.mid] > 1]
