"""VeSync (Levoit): a device's details as the app's cloud answers them, also those of `bypassV2`, which nest twice."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import bridged, flatten, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when the cloud answered with an error."""
    details = _details(require_object(read_json(delivery.payload), "the payload"))
    model = details.get("deviceType")
    return [
        Saying(
            bridged(delivery),
            dict(flatten(details)),
            online=_presence(details.get("connectionStatus")),
            model=model if isinstance(model, str) else "",
        )
    ]


def _details(content: Mapping[str, Any]) -> Mapping[str, Any]:
    if content.get("code", 0) not in (0, "0"):
        raise ValueError(f"the cloud answered with code {quote(content['code'])}: {quote(content.get('msg'))}")
    inner = content.get("result", content.get("data"))
    return _details(inner) if isinstance(inner, dict) else content


def _presence(said: Any) -> bool | None:
    return said == "online" if said in ("online", "offline") else None
