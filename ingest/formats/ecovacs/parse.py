"""Ecovacs' vacuums: what is left of each part, in JSON and, from older models, in XML.

`getLifeSpan` and `onLifeSpan` carry a list of parts in an envelope (`header`, `body`, `data`), the cloud puts that
under `resp`; a list without its envelope is read as well. A part says `brush.left` and `brush.total` in minutes. The
XML of older models has the same in attributes, and the oldest say percent, which is `brush.val`; of a value above 100
it is the share of the total.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from devices.wire import quote
from ingest.formats.json_values import as_content, as_number, bridged, flatten, read_json, refuse_item
from ingest.formats.saying import Saying
from ingest.nouns import Delivery, Rejection

_DECLARES = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when the device answered with an error, or nothing of the kind."""
    identity = bridged(delivery)
    if delivery.payload.lstrip().startswith(b"<"):
        return [Saying(identity, dict(_read_xml(delivery.payload)))]
    return [_read_json(identity, read_json(delivery.payload), None)]


def _read_json(identity: str, content: Any, at: int | None) -> Saying:
    if isinstance(content, str) and content.lstrip().startswith("<"):
        return Saying(identity, dict(_read_xml(content.encode(errors="replace"))), at)
    if isinstance(content, dict):
        if content.get("ret", "ok") != "ok" or content.get("code", 0) not in (0, "0"):
            words = next((content[key] for key in ("msg", "debug", "error", "errno") if content.get(key)), content)
            raise ValueError(f"the device answered with {quote(words)}")
        header = content.get("header")
        at = _header_time(header) if isinstance(header, dict) else at
        inner = next((content[key] for key in ("resp", "payload", "body", "data") if key in content), None)
        if inner is not None:
            return _read_json(identity, as_content(inner), at)
        if "type" not in content:
            return Saying(identity, dict(flatten(content)), at)
        content = [content]
    if not isinstance(content, list):
        raise ValueError(f"the payload is {quote(content)}, not a list of parts")
    found = [_read_part(index, part) for index, part in enumerate(content)]
    values = {name: value for part in found if isinstance(part, dict) for name, value in part.items()}
    return Saying(identity, values, at, rejections=tuple(part for part in found if isinstance(part, Rejection)))


def _header_time(header: Mapping[str, Any]) -> int | None:
    """The envelope's time, which some models write in milliseconds and some in nanoseconds."""
    ts = as_number(header.get("ts"))
    if isinstance(ts, bool) or not isinstance(ts, int) or ts <= 0:
        return None
    return ts if ts < 10**14 else ts // 10**6


def _read_part(index: int, part: Any) -> dict[str, Any] | Rejection:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or not kind:
        return refuse_item(index, part, "a part with its type")
    return {f"{_name(kind)}.{key}": as_number(value) for key, value in flatten(part) if key != "type"}


def _read_xml(payload: bytes) -> Iterator[tuple[str, Any]]:
    # A zero would be XML in two bytes a letter, in which what is declared is not found.
    if _DECLARES.search(payload) or b"\0" in payload:
        raise ValueError("the payload is XML that declares entities or is not in UTF-8, which no device needs")
    try:
        root = ElementTree.fromstring(payload)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ValueError(f"the payload is not XML: {error}") from None
    for element in root.iter():
        attributes = element.attrib
        if attributes.get("ret", "ok") != "ok":
            raise ValueError(f"the device answered with {quote(attributes['ret'])}")
        yield from _read_attributes(attributes)
        if element.tag == "battery" and "power" in attributes:
            yield "battery.power", as_number(attributes["power"])


def _read_attributes(attributes: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    kind = attributes.get("type", "").strip()
    said = {key: as_number(attributes[key]) for key in ("left", "total", "val") if key in attributes}
    if kind and "left" in said:
        yield from ((f"{_name(kind)}.{key}", said[key]) for key in ("left", "total") if key in said)
    elif kind and "val" in said:
        yield f"{_name(kind)}.val", _percent(said["val"], said.get("total"))


def _percent(value: Any, total: Any) -> Any:
    """Beside percent the total is none in minutes; what is above 100 counts as the total does."""
    if not isinstance(value, int | float) or not isinstance(total, int | float) or not 100 < value <= total:
        return value
    return round(100 * value / total, 2)


def _name(kind: str) -> str:
    """XML begins with a capital what JSON does not: `SideBrush` is `sideBrush`; one model writes a space behind."""
    plain = kind.strip()
    return plain[:1].lower() + plain[1:]
