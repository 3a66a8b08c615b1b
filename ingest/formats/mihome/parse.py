"""The Mi Home app's page of consumables, as its cloud answers it: for each part of a device what is left of it.

Each part is called by what the page calls it (`part:滤芯`) and by its property (`filter1_life`, `4.3`), and says
`.value` in percent, `.left_time` and `.total_life` in hours, `.state`, and where the maker warns (`.low_at`,
`.empty_at`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import (
    Said,
    as_content,
    as_number,
    bridged,
    read_json,
    refuse_error,
    refuse_item,
    require_object,
    say_by_time,
    seconds_to_ms,
)
from ingest.formats.saying import Saying
from ingest.nouns import Delivery, Rejection

_NUMBERS = ("value", "left_time", "total_life", "state")
_CALLED_MAX = 64
_LIMITS = {"inadeq": "low_at", "exhaust": "empty_at"}


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What the page says of the device in the topic; ValueError when it is no page, or of several other devices."""
    serial = bridged(delivery)
    page = read_json(delivery.payload)
    if isinstance(page, dict):
        refuse_error(page)
        page = page["result"] if isinstance(page.get("result"), dict) else page
    details = _choose(serial, list(_devices(page)))
    return say_by_time(serial, (found for index, detail in enumerate(details) for found in _read_detail(index, detail)))


def _devices(page: Any) -> Iterator[tuple[str, Sequence[Any]]]:
    """The page's devices, each with its parts; a page cut down to one device, or to its parts, is one as well."""
    if isinstance(page, list):
        page = {"details": page} if any(isinstance(part, dict) and "prop" in part for part in page) else {"items": page}
    page = require_object(page, "the page")
    if isinstance(page.get("details"), list):
        yield str(page.get("did", "")), page["details"]
        return
    for item in _list(page.get("items", page.get("consumes_data"))):
        if isinstance(item, dict):
            yield from _devices(item)


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise ValueError(f"the page has {quote(content)} where its items should stand")
    return content


def _choose(serial: str, devices: Sequence[tuple[str, Sequence[Any]]]) -> Sequence[Any]:
    mine = [parts for did, parts in devices if did == serial]
    if mine:
        return mine[0]
    if len(devices) > 1:
        raise ValueError(f"the page is of {len(devices)} devices, publish each on the topic of its own serial")
    return devices[0][1] if devices else ()


def _read_detail(index: int, detail: Any) -> Iterator[Said | Rejection]:
    prop = detail.get("prop") if isinstance(detail, dict) else None
    if not isinstance(prop, str):
        yield refuse_item(index, detail, "a part with its prop")
        return
    at = seconds_to_ms(detail.get("update_time"))
    called = str(detail.get("description") or "").strip()[:_CALLED_MAX]
    names = [*([f"part:{called}"] if called else []), prop.removeprefix("prop.")]
    for key, value in _values(detail):
        yield from (Said(at, f"{name}.{key}", value) for name in names)


def _values(detail: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in _NUMBERS:
        if detail.get(key) not in (None, ""):
            yield key, as_number(detail[key])
    for key, name in _LIMITS.items():
        limit = as_content(detail.get(key))
        if isinstance(limit, dict) and limit.get("unit") == "percentage":
            yield name, as_number(limit.get("val"))
