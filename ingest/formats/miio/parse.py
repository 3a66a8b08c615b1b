"""miIO, the older local protocol of Xiaomi's devices: properties by name, or values in the order they were asked for.

A bridge publishes what a device answered to `get_prop`, `get_consumable` and the like: an object of properties, the
answer with its `id` and `result`, or the answer beside the request, whose `params` then name the values. A list of
values alone has its places as names (`"0"`, `"1"`, …): which is which is known by the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import as_content, bridged, flatten, read_json, refuse_error
from ingest.formats.miio.cartridge import cartridge_types
from ingest.formats.saying import Saying
from ingest.nouns import Delivery


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is an error of the device's, or no answer at all."""
    values = dict(flatten(_properties(read_json(delivery.payload))))
    return [Saying(bridged(delivery), {**values, **dict(cartridge_types(values))})]


def _properties(content: Any) -> Any:
    if isinstance(content, dict):
        refuse_error(content)
        if "result" in content:
            return _answered(content.get("params"), as_content(content["result"]))
        if isinstance(content.get("params"), dict):
            return content["params"]
        return content
    if isinstance(content, list):
        return _unpacked(content)
    raise ValueError(f"the payload is {quote(content)}, neither properties nor a list of values")


def _answered(names: Any, result: Any) -> Any:
    if result is not None and not isinstance(result, dict | list):
        raise ValueError(f"the device answered {quote(result)}, neither properties nor a list of values")
    return _named(names, _unpacked(result))


def _unpacked(result: Any) -> Any:
    """A list with one object is that object: so answers the device to a question about all of something."""
    if isinstance(result, list) and len(result) == 1 and isinstance(result[0], dict):
        return result[0]
    return result


def _named(names: Any, result: Any) -> Any:
    """Values by the names that were asked for, where the request says as many as there are values."""
    if not isinstance(names, list) or not isinstance(result, list) or len(names) != len(result):
        return result
    return dict(_pairs(names, result)) if all(isinstance(name, str) for name in names) else result


def _pairs(names: Sequence[str], values: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    return zip(names, values, strict=True)
