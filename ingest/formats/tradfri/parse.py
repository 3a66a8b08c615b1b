"""IKEA's gateways: objects and resources by number over CoAP (TRÅDFRI), attributes by name from DIRIGERA.

A resource of the first instance is called by its object and its number (`15025.5910`), of another with the instance
between. DIRIGERA's attributes keep their names.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.formats.json_values import bridged, flatten, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_DEVICE, _MODEL = "3", "1"


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is no device of a gateway."""
    content = require_object(read_json(delivery.payload), "the payload")
    content = content["data"] if isinstance(content.get("data"), dict) else content
    about, attributes = content.get(_DEVICE), content.get("attributes")
    model = attributes.get("model") if isinstance(attributes, dict) else None
    model = about.get(_MODEL) if isinstance(about, dict) else model
    values = attributes if isinstance(attributes, dict) else dict(_resources(content))
    return [Saying(bridged(delivery), dict(flatten(values)), model=model if isinstance(model, str) else "")]


def _resources(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for number, inner in content.items():
        if isinstance(inner, list):
            for index, instance in enumerate(inner):
                name = number if index == 0 else f"{number}.{index}"
                yield from flatten(instance, name, 1)
        else:
            yield from flatten(inner, number, 1)
