"""Looking up the devices that a batch speaks of, and decoding the batch with what is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from devices.aliases import select_devices_by_alias
from devices.nouns import Device
from devices.store import select_devices_by_serial
from ingest.described.keep import keep_descriptions, recall_descriptions
from ingest.formats.format import Format, Formats
from ingest.nouns import Decoded, Delivery, Keeping, Limits, Registry
from ingest.storing.known import Known
from ingest.storing.quarantine import shorten
from ingest.storing.terms import Terms
from millpond.kernel.db import ReadConnection, WriteConnection


def decode_batch(
    conn: WriteConnection, deliveries: Sequence[Delivery], formats: Formats, limits: Limits, keeping: Keeping
) -> list[Decoded]:
    """What deliveries become, by what is known of their devices as of this transaction; in order."""
    return [one for results in decode_each(conn, deliveries, formats, limits, keeping) for one in results]


def decode_each(
    conn: WriteConnection,
    deliveries: Sequence[Delivery],
    formats: Formats,
    limits: Limits,
    keeping: Keeping,
    known: Known | None = None,
) -> list[list[Decoded]]:
    """The results of each delivery. `known` is what was renewed in this transaction, if anything was.

    What they describe is kept, for those that follow. The rejections of each are shortened at once: a batch of them
    must fit into memory.
    """
    return _decode(conn, keep_descriptions(conn, deliveries, formats, limits), formats, limits, keeping, known)


def decode_again(conn: ReadConnection, deliveries: Sequence[Delivery], terms: Terms) -> list[Decoded]:
    """What deliveries of earlier become by what is known now; what they describe is old, and is not kept again.

    They were whole when they were kept, whatever may be sent today.
    """
    longest = max((len(delivery.payload) for delivery in deliveries), default=0)
    limits = replace(terms.limits, payload_max_bytes=max(terms.limits.payload_max_bytes, longest))
    told = recall_descriptions(conn, deliveries, terms.formats, limits)
    each = _decode(conn, told, terms.formats, limits, terms.keeping)
    return [one for results in each for one in results]


def _decode(
    conn: ReadConnection,
    deliveries: Sequence[Delivery],
    formats: Formats,
    limits: Limits,
    keeping: Keeping,
    known: Known | None = None,
) -> list[list[Decoded]]:
    registries = load_registries(conn, deliveries, formats, limits, known)
    each = []
    for delivery in deliveries:
        results = formats.decode(delivery, registries, limits)
        shorten(results, keeping.items)
        each.append(results)
    return each


def load_registries(
    conn: ReadConnection, deliveries: Sequence[Delivery], formats: Formats, limits: Limits, known: Known | None = None
) -> dict[str, Registry]:
    """What each format must know of the devices that the deliveries speak of, by the name of the format."""
    if known is None:
        known = Known()
        known.renew(conn)
    return {
        one.name: Registry(
            devices=_find(conn, one, sorted(names)),
            metrics=known.metrics,
            namespace="" if one.by_serial else f"{one.language}/",
            speaks=known.speaks.get(one.language, {}),
        )
        for one, names in formats.identities(deliveries, limits).items()
    }


def _find(conn: ReadConnection, one: Format, names: Sequence[str]) -> Mapping[str, Device]:
    return (
        select_devices_by_serial(conn, names) if one.by_serial else select_devices_by_alias(conn, one.language, names)
    )
