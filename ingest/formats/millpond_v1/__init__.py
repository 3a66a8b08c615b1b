"""Ours, version 1 of the MQTT contract (`devices/wire.py`): one device a message, known by the serial in its topic."""

from devices.wire import PREFIX
from ingest.formats.format import Format, PlainReader, Subscription
from ingest.formats.millpond_v1.decode import decode, identities, may_have_numbers
from ingest.formats.millpond_v1.plain import plain_serial, read_plain
from ingest.nouns import Lane

MILLPOND_V1 = Format(
    name="millpond-v1",
    subscriptions=(
        Subscription(f"{PREFIX}/+/telemetry", Lane.LIVE),
        Subscription(f"{PREFIX}/+/status", Lane.LIVE),
        Subscription(f"{PREFIX}/+/command/+/result", Lane.LIVE),
        Subscription(f"{PREFIX}/+/backfill", Lane.BACKFILL),
    ),
    identities=identities,
    decode=decode,
    by_serial=True,
    may_have_numbers=may_have_numbers,
    plain=PlainReader(plain_serial, read_plain),
)
