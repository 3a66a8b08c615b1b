"""MIoT, Xiaomi's specification of services and properties: `siid` and `piid` say which one, the model what it means.

Read are the answers to `get_properties` (local and cloud), what devices and Xiaomi's cloud push (`properties_changed`,
`event_occured`), a hub's local form of both, and objects of properties by name or by number (`4.3`, `prop.4.3`). A
property is called `siid.piid`; where the message has a name of its own for it (`did` in a local answer), by that too.
What an event tells with it is `siid.eiid.piid` with `event:` before it, and what an action answers `siid.aiid.N` with
`action:`. A property that the device answered with a code has no value, and is shown as suspect.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import (
    Said,
    as_content,
    as_number,
    bridged,
    flatten,
    read_json,
    refuse_error,
    refuse_item,
    say_by_time,
    seconds_to_ms,
)
from ingest.formats.miio.cartridge import cartridge_types
from ingest.formats.miot.packed import unpack
from ingest.formats.saying import Saying, Suspect
from ingest.nouns import Delivery, Rejection

# Xiaomi's cloud, and its hub, which puts its own number or `master` in front.
_CLOUD = re.compile(r"device/([^/]+)/(up/(?:properties_changed|event_occured)|state)(?:/.*)?")
_LOCAL = re.compile(r"[^/]+/appMsg/notify/iot/([^/]+)/(?:property|event)/.*")
_NUMBERED = re.compile(r"(?:prop\.)?(\d{1,5}\.\d{1,5})")
_AROUND = ("result", "params", "data", "properties", "props")
_IID = re.compile(r"0\.(\d{1,5})\.(\d{1,5})")


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says; ValueError when it is an error of the device's, or no MIoT at all."""
    content = read_json(unpack(delivery.payload))
    identity = name_device(delivery.topic) or bridged(delivery)
    if isinstance(content, dict) and content.get("event") in ("online", "offline"):
        return [_presence(identity, content)]
    return say_by_time(identity, _with_types(_read(content)))


def name_device(topic: str) -> str | None:
    """The device number (`did`) in a topic of Xiaomi's own; None for any other topic."""
    match = _CLOUD.fullmatch(topic) or _LOCAL.fullmatch(topic)
    return match[1] if match else None


def _with_types(found: Iterable[Said | Rejection]) -> Iterator[Said | Rejection]:
    for item in found:
        yield item
        if isinstance(item, Said):
            yield from (Said(item.at, name, kind) for name, kind in cartridge_types({item.name: item.value}))


def _presence(identity: str, content: Mapping[str, Any]) -> Saying:
    at, model = content.get("timestamp"), content.get("model")
    return Saying(
        identity,
        said_at=at if isinstance(at, int) and not isinstance(at, bool) else None,
        online=content["event"] == "online",
        model=model if isinstance(model, str) else "",
    )


def _read(content: Any) -> Iterator[Said | Rejection]:
    if isinstance(content, list):
        for index, item in enumerate(content):
            yield from _read_item(index, item)
    elif not isinstance(content, dict):
        raise ValueError(f"the payload is {quote(content)}, neither a property nor a list of them")
    elif _is_property(content) or "arguments" in content:
        yield from _read_item(0, content)
    else:
        yield from _read_answer(content)


def _read_answer(content: Mapping[str, Any]) -> Iterator[Said | Rejection]:
    """What was answered or pushed: properties in a list, the outcome of an action, or an object of properties."""
    refuse_error(content)
    inner = next((as_content(content[key]) for key in _AROUND if key in content), None)
    if isinstance(inner, dict | list):
        yield from _read(inner)
    elif "aiid" in content:
        where = f"action:{content.get('siid')}.{content['aiid']}"
        yield from (Said(None, f"{where}.{name}", value) for name, value in flatten(content.get("out")))
    else:
        yield from (Said(None, _plain_name(name), value) for name, value in flatten(content))


def _is_property(item: Mapping[str, Any]) -> bool:
    return _number_of(item) is not None


def _number_of(item: Mapping[str, Any]) -> str | None:
    """`siid.piid` of a property, also where it stands as one `iid`."""
    siid, piid, iid = as_number(item.get("siid")), as_number(item.get("piid")), item.get("iid")
    if isinstance(siid, int) and isinstance(piid, int):
        return f"{siid}.{piid}"
    match = _IID.fullmatch(iid) if isinstance(iid, str) else None
    return f"{match[1]}.{match[2]}" if match else None


def _read_item(index: int, item: Any) -> Iterator[Said | Rejection]:
    if isinstance(item, dict) and isinstance(item.get("arguments"), list):
        yield from _read_event(item)
        return
    number = _number_of(item) if isinstance(item, dict) else None
    if number is None:
        yield refuse_item(index, item, "a property with siid and piid")
    elif as_number(item.get("code", 0)) != 0:
        # Then the device had no value, whatever stands there.
        yield Said(None, number, Suspect(item.get("value"), f"the device answered with code {quote(item['code'])}"))
    elif item.get("value") is not None:
        at, name = seconds_to_ms(item.get("updateTime")), item.get("did")
        yield Said(at, number, item["value"])
        if isinstance(name, str) and not name.isdigit():
            yield Said(at, name, item["value"])


def _read_event(item: Mapping[str, Any]) -> Iterator[Said]:
    for argument in item["arguments"]:
        if isinstance(argument, dict) and argument.get("value") is not None:
            name = f"event:{item.get('siid')}.{item.get('eiid')}.{argument.get('piid')}"
            yield Said(None, name, argument["value"])


def _plain_name(name: str) -> str:
    match = _NUMBERED.fullmatch(name)
    return match[1] if match else name
