"""What devices of a shop tell of people (`millpond/v1/{serial}/events`): each message as calls of one source.

Whoever holds a kiosk or a beacon holds its credential. So nothing that a device tells links anybody to anybody, or
makes an order: only calls that say what happened are taken.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from devices.store import select_devices_by_serial
from events.nouns import Calls, Refused, Source, SourceKind, Taken
from events.sources import register_source, require_source, select_sources
from events.taking import take_behaviour
from events.terms import Terms
from events.wire import decode_rows
from ingest.nouns import Delivery
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict

TOPIC_FILTER = "millpond/v1/+/events"
SOURCE = "Shop devices"
CALLS_MAX = 500
_SAYS_WHAT_HAPPENED = ("track", "page", "screen")


def store_told(conn: WriteConnection, batch: Sequence[Delivery], terms: Terms, *, at: datetime) -> Taken:
    """Take what devices tell, in the caller's transaction; a message that comes again counts once."""
    known = select_devices_by_serial(conn, sorted({_serial_of(delivery) for delivery in batch}))
    source = _source(conn, at)
    calls = Calls((), ())
    for delivery in batch:
        serial = _serial_of(delivery)
        told = read_told(serial, delivery)
        calls = _join(calls, told if serial in known else _set_aside(serial, told))
    return take_behaviour(conn, source, calls, terms, at=at)


def keep_refused(conn: WriteConnection, delivery: Delivery, terms: Terms, *, at: datetime) -> None:
    """Set a message aside that the database does not take, in the caller's transaction."""
    refused = Refused("refused", "the database did not take it: see the log", delivery.payload)
    take_behaviour(conn, _source(conn, at), Calls((), (refused,)), terms, at=at)


def read_told(serial: str, delivery: Delivery) -> Calls:
    """The calls of a message: one call, or an object with a list `batch`; each `id` counts once for its device."""
    try:
        said = json.loads(delivery.payload)
    except (ValueError, RecursionError):
        return Calls((), (Refused("not_json", "it is not JSON in UTF-8", delivery.payload),))
    calls = said.get("batch") if isinstance(said, dict) and "batch" in said else [said]
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls) or len(calls) > CALLS_MAX:
        why = f"a message is one call, or an object with a list 'batch' of at most {CALLS_MAX}"
        return Calls((), (Refused("wrong_type", why, delivery.payload),))
    if any(call.get("type", "track") not in _SAYS_WHAT_HAPPENED for call in calls):
        why = f"a device says what happened ({', '.join(_SAYS_WHAT_HAPPENED)}), never who somebody is"
        return Calls((), (Refused("not_for_devices", why, delivery.payload),))
    return decode_rows([_as_call(serial, call) for call in calls], received_at=delivery.received_at)


def _set_aside(serial: str, told: Calls) -> Calls:
    why = f"device {serial} is not registered: register it, then replay this"
    unknown = tuple(Refused("unknown_device", why, heard.raw, heard.event) for heard in told.heard)
    return Calls((), told.refused + unknown)


def _as_call(serial: str, call: Mapping[str, Any]) -> bytes:
    """As Segment has it: `id` and `ts` are messageId and timestamp, and the device stands beside what happened."""
    named = call.get("id", call.get("messageId"))
    made = sha256(json.dumps(call, sort_keys=True).encode()).hexdigest()[:32]
    said = {key: value for key, value in call.items() if key not in ("id", "ts")}
    properties = call.get("properties")
    return json.dumps(
        {"type": "track", "timestamp": call.get("ts")}
        | said
        | {"messageId": f"{serial}:{made if named is None else named}"}
        | {"properties": {**(properties if isinstance(properties, dict) else {}), "device": serial}}
    ).encode()


def _source(conn: WriteConnection, at: datetime) -> Source:
    for source in select_sources(conn):
        if source.name == SOURCE:
            return source
    try:
        return register_source(conn, name=SOURCE, kind=SourceKind.STORE, at=at)
    except Conflict:  # Another ingest has registered it since we looked.
        return require_source(conn, SOURCE)


def _serial_of(delivery: Delivery) -> str:
    return delivery.topic.split("/")[2]


def _join(one: Calls, other: Calls) -> Calls:
    return Calls(one.heard + other.heard, one.refused + other.refused)
