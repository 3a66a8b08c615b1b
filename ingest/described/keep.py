"""What messages describe is kept in the batch's own transaction, in their order, and known to those that follow."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from devices.wire import is_text
from ingest.described.store import (
    Key,
    count_descriptions,
    delete_descriptions,
    select_descriptions,
    upsert_descriptions,
)
from ingest.formats.describing import Describing, Description
from ingest.formats.format import Formats
from ingest.nouns import Delivery, Limits
from millpond.kernel.db import ReadConnection, WriteConnection

_LOG = logging.getLogger(__name__)
_KEY_MAX, _OWNER_MAX = 512, 256
_T = TypeVar("_T")
_Said = dict[Key, tuple[Description, datetime]]


def keep_descriptions(
    conn: WriteConnection, deliveries: Sequence[Delivery], formats: Formats, limits: Limits
) -> Sequence[Delivery]:
    """The deliveries, each with what was described before it; and keep what they describe themselves."""
    described = dict(_find_describing(deliveries, formats, limits))
    if not described:
        return deliveries
    needed = {index: _needs(name, one, deliveries[index]) for index, (name, one) in described.items()}
    known = select_descriptions(conn, sorted(set().union(*needed.values())))
    told, said = list(deliveries), _Said()
    for index, (name, one) in described.items():
        found = {key: known[name, key] for _, key in needed[index] if known.get((name, key))}
        told[index] = replace(deliveries[index], described=found)
        for key, description in _describes(one, told[index]).items():
            if _fits(key, description, limits):
                known[name, key] = description.body
                said[name, key] = description, deliveries[index].received_at
    _write(conn, said, limits)
    return told


def recall_descriptions(
    conn: ReadConnection, deliveries: Sequence[Delivery], formats: Formats, limits: Limits
) -> Sequence[Delivery]:
    """The deliveries, each with what is described by now. They came long ago: what they describe is not kept again."""
    described = dict(_find_describing(deliveries, formats, limits))
    if not described:
        return deliveries
    needed = {index: _needs(name, one, deliveries[index]) for index, (name, one) in described.items()}
    known, told = select_descriptions(conn, sorted(set().union(*needed.values()))), list(deliveries)
    for index, keys in needed.items():
        found = {key: known[name, key] for name, key in keys if (name, key) in known}
        told[index] = replace(deliveries[index], described=found)
    return told


def _find_describing(
    deliveries: Sequence[Delivery], formats: Formats, limits: Limits
) -> Iterator[tuple[int, tuple[str, Describing]]]:
    for index, delivery in enumerate(deliveries):
        one = formats.reading(delivery.topic)
        if one and one.describing and len(delivery.payload) <= limits.payload_max_bytes:
            yield index, (one.name, one.describing)


def _needs(name: str, one: Describing, delivery: Delivery) -> set[Key]:
    nothing: Collection[str] = ()
    keys = _guarded(lambda: one.needs(delivery), nothing, delivery)
    return {(name, key) for key in keys if _can_be_key(key)}


def _describes(one: Describing, delivery: Delivery) -> Mapping[str, Description]:
    return _guarded(lambda: one.describes(delivery), {}, delivery)


def _guarded(call: Callable[[], _T], instead: _T, delivery: Delivery) -> _T:
    """What cannot be read is refused when it is decoded, and describes nothing."""
    try:
        return call()
    except ValueError:
        return instead
    except Exception:  # A mistake of ours must not stop the lane for good.
        extra = {"event": "decode_failed", "topic": delivery.topic}
        _LOG.exception("what a message describes cannot be said", extra=extra)
        return instead


def _can_be_key(key: str) -> bool:
    return 0 < len(key) <= _KEY_MAX and "\x00" not in key and is_text(key)


def _fits(key: str, description: Description, limits: Limits) -> bool:
    owner = description.owner
    if not _can_be_key(key) or len(owner) > _OWNER_MAX or "\x00" in owner or not is_text(owner):
        return False
    if len(description.body) > limits.description_max_bytes:
        extra = {"event": "description_too_large", "key": key, "bytes": len(description.body)}
        _LOG.warning("a description is too large to be kept: MILLPOND_DESCRIPTION_MAX_BYTES", extra=extra)
        return False
    return True


def _write(conn: WriteConnection, said: _Said, limits: Limits) -> None:
    gone = sorted(key for key, (description, _) in said.items() if not description.body)
    kept = {key: one for key, one in said.items() if one[0].body}
    if gone:
        delete_descriptions(conn, gone)
    if kept:
        new = kept.keys() - select_descriptions(conn, sorted(kept)).keys()
        refused = set(_without_room(conn, sorted(new), kept, limits)) if new else set()
        upsert_descriptions(conn, {key: one for key, one in kept.items() if key not in refused})


def _without_room(conn: WriteConnection, new: Iterable[Key], kept: _Said, limits: Limits) -> Iterator[Key]:
    """Those of the new ones for which their format or their owner has no room left."""
    owned = {key: (key[0], kept[key][0].owner) for key in new}
    counts = count_descriptions(conn, sorted(set(owned.values())))
    for key, owner in owned.items():
        of_format, of_owner = counts.get((key[0], None), 0), counts.get(owner, 0)
        if of_format >= limits.descriptions_max or of_owner >= limits.descriptions_per_owner_max:
            extra = {"event": "too_many_descriptions", "format": key[0], "owner": owner[1]}
            _LOG.warning("a device or hub describes more than is kept of it", extra=extra)
            yield key
        else:
            counts[key[0], None], counts[owner] = of_format + 1, of_owner + 1
