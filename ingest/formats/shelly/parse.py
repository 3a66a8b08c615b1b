"""Shelly devices of the second generation and later: notifications by RPC, and the status of each component.

`{prefix}/events/rpc` has a full status, or what changed of it, or events; `{prefix}/status/{component}` one component;
`{prefix}/online` says who is there. The prefix is the device's id, unless somebody set another;
notifications have the id. What a device answers when it is asked for its status (`{asker}/rpc`) is a full status, too.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ingest.formats.json_values import flatten, read_json, require_object, seconds_to_ms
from ingest.formats.plain_text import is_name, read_presence
from ingest.formats.saying import Saying, Suspect
from ingest.formats.shelly.first import is_first, parse_first
from ingest.nouns import Delivery

_TOPIC = re.compile(
    r"(?P<prefix>.+?)/(?:(?P<rpc>(?:events/)?rpc)|(?P<online>online)|status/(?P<component>[^/]+))", re.DOTALL
)
_ID = re.compile(r"(shelly[a-z0-9]+)-[0-9a-fA-F]{12}")
_STATUSES = frozenset({"NotifyStatus", "NotifyFullStatus"})
_FED = "external power present"


def filters_of(prefix: str) -> list[str]:
    """The topic filters of all that devices with such a prefix publish."""
    return [f"{prefix}/events/rpc", f"{prefix}/online", f"{prefix}/status/+"]


def parse(delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying, or none of an event. ValueError when it is none of the language's."""
    topic = _TOPIC.fullmatch(delivery.topic)
    if not delivery.payload:
        return []
    if is_first(delivery.topic) and (topic is None or topic["prefix"] not in described):
        return parse_first(delivery)
    if topic is None:
        return []
    prefix = topic["prefix"]
    names = described.get(prefix, prefix.encode()).decode("utf-8", "replace"), prefix
    if topic["online"]:
        return [_say(names, online=read_presence(delivery.payload, "true", "false"))]
    content = require_object(read_json(delivery.payload), "the payload")
    if topic["rpc"]:
        return _say_notification(prefix, content)
    component = topic["component"]
    said_at = seconds_to_ms(content.get("unixtime")) if component == "sys" else None
    return [_say(names, {component: content}, said_at)]


def needs(delivery: Delivery) -> Collection[str]:
    """The prefix, whose device's id an earlier notification may have told."""
    topic = _TOPIC.fullmatch(delivery.topic)
    return [topic["prefix"]] if topic else ()


def describes_id(delivery: Delivery) -> Mapping[str, str]:
    """The id of the device that uses a prefix which is not that id, unless that is known."""
    topic = _TOPIC.fullmatch(delivery.topic)
    if topic is None or topic["rpc"] != "events/rpc" or not delivery.payload:
        return {}
    source = require_object(read_json(delivery.payload), "the payload").get("src")
    prefix = topic["prefix"]
    if not isinstance(source, str) or not is_name(source) or source == prefix or _ID.fullmatch(prefix):
        return {}
    return {} if (delivery.described or {}).get(prefix) == source.encode() else {prefix: source}


def _say_notification(prefix: str, content: Mapping[str, Any]) -> Sequence[Saying]:
    method, source, params = content.get("method"), content.get("src"), content.get("params")
    if method is None and isinstance(answer := content.get("result"), dict) and isinstance(source, str):
        prefix, method, params = source, "NotifyFullStatus", answer
    if not isinstance(source, str) or not isinstance(method, str):
        raise ValueError("a notification has a src and a method, and this has not")
    if method not in _STATUSES:
        return []
    if source != prefix and _ID.fullmatch(prefix):
        raise ValueError(f"the topic is of {prefix}, and the payload says {source[:40]!r}")
    said = require_object(params, "params")
    components = {name: part for name, part in said.items() if isinstance(part, dict)}
    return [_say((source, prefix), components, seconds_to_ms(said.get("ts")))]


def _say(
    names: tuple[str, str],
    components: Mapping[str, Any] | None = None,
    said_at: int | None = None,
    online: bool | None = None,
) -> Saying:
    identity, prefix = names
    model = _ID.fullmatch(identity)
    others = () if prefix == identity else (prefix,)
    said, suspects = dict(flatten(components or {})), _suspects(components or {})
    return Saying(
        identity,
        {name: value for name, value in said.items() if name not in suspects},
        said_at,
        online,
        model=model[1] if model else "",
        other_names=others,
        suspects=suspects,
    )


def _suspects(components: Mapping[str, Any]) -> dict[str, Suspect]:
    """What a device that is fed from outside says of a battery at 0 per cent: there is none in it, not an empty one."""
    empty = {f"{name}.battery": part["battery"] for name, part in components.items() if _has_no_battery(part)}
    return {name: Suspect(raw, _FED) for prefix, part in empty.items() for name, raw in flatten(part, prefix)}


def _has_no_battery(part: Any) -> bool:
    external, battery = (part.get("external"), part.get("battery")) if isinstance(part, dict) else (None, None)
    fed = isinstance(external, dict) and external.get("present") is True
    return fed and isinstance(battery, dict) and not battery.get("percent")
