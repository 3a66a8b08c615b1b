"""A format that only tests have: a hub whose one message speaks of several devices, by names of its own.

`hub/{name}` carries `{"at": 1771243200000, "devices": {"0xA1": {"filter_life_pct": 64}, …}}`, without sequence numbers.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from devices.nouns import Device, Reading
from ingest.formats.format import Format, Formats, Subscription
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.formats.value import check_value
from ingest.nouns import Decoded, DecodedReading, Delivery, Lane, Limits, Registry, Rejection


def identities(delivery: Delivery) -> Collection[str]:
    """What the hub calls its devices; as in `decode`, a payload that is no JSON raises."""
    return json.loads(delivery.payload)["devices"].keys() if delivery.payload else ()


def decode(delivery: Delivery, registry: Registry, _limits: Limits) -> Sequence[Decoded]:
    """One result for each device that the hub speaks of."""
    content = json.loads(delivery.payload)
    at = datetime.fromtimestamp(content["at"] / 1000, UTC)
    return [_decode_device(delivery, registry, name, values, at) for name, values in content["devices"].items()]


def _decode_device(
    delivery: Delivery, registry: Registry, name: str, values: Mapping[str, Any], at: datetime
) -> Decoded:
    decoded = Decoded.of(delivery, name, registry)
    if decoded.device is None:
        decoded.rejections.append(Rejection("unknown_device", f"{name!r} is no alias of a device"))
        return decoded
    metrics = registry.metrics[decoded.device.model]
    for metric, raw in values.items():
        value = check_value(metrics, decoded.device.model, metric, raw)
        if isinstance(value, Rejection):
            decoded.rejections.append(Rejection(value.code, value.reason, metric))
        else:
            decoded.readings.append(_reading(decoded.device, registry, metric, value, at, delivery.received_at))
    return decoded


def _reading(
    device: Device, registry: Registry, metric: str, value: float | str, at: datetime, received_at: datetime
) -> DecodedReading:
    number, state = (None, value) if isinstance(value, str) else (value, None)
    metric_id = registry.metrics[device.model][metric].metric_id
    return DecodedReading(Reading(device.device_id, metric_id, at, number, state, received_at, False), None, at)


HUB = Format("hub", (Subscription("hub/+", Lane.LIVE),), identities, decode)
BOTH = Formats(MILLPOND_V1, HUB)
