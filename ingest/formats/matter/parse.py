"""Matter: attributes by `endpoint/cluster/attribute`, as a controller (matter-server) holds and sends them.

Read are a node (`attributes`, also as a command's `result` or an event's `data`), one attribute that changed
(`attribute_updated`), attributes alone, what chip-tool answers and writes, and what matter.js reports and keeps by
name. Three things are said in words: when a filter was changed (`LastChangedTime`) as a time; a condition that counts
what is *used* (`DegradationDirection` 0) under a name of its own, `1/113/0.used`, also when the node said so in an
earlier message; and the products that replace a filter each under its kind, `1/113/5.ean` and so on.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.formats.json_values import bridged
from ingest.formats.matter.attributes import CHANGED_AT, CONDITION, MONITORED, PRODUCTS, UP, Path, read_attributes
from ingest.formats.matter.directions import known_directions, read_payload
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_PRODUCT_KINDS = ("upc", "gtin8", "ean", "gtin14", "oem")
_PRODUCTS_MAX = 5
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_PRODUCT_NAME = (0, 40, 3)


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when there are no attributes in it."""
    content = read_payload(delivery.payload)
    attributes = {path: raw for path, raw in read_attributes(content) if raw is not None}
    name = attributes.get(_PRODUCT_NAME)
    return [
        Saying(
            bridged(delivery),
            dict(_values(attributes, known_directions(delivery, attributes))),
            online=_available(content),
            model=name if isinstance(name, str) else "",
        )
    ]


def _available(content: Any) -> bool | None:
    """Whether the controller reaches the node, where it says so."""
    while isinstance(content, dict) and "attributes" not in content:
        content = content.get("data", content.get("result"))
    available = content.get("available") if isinstance(content, dict) else None
    return available if isinstance(available, bool) else None


def _values(attributes: Mapping[Path, Any], directions: Mapping[tuple[int, int], object]) -> Iterator[tuple[str, Any]]:
    for path, raw in attributes.items():
        endpoint, cluster, attribute = path
        name = f"{endpoint}/{cluster}/{attribute}"
        if cluster not in MONITORED:
            yield from [(name, raw)] if isinstance(raw, str | int | float) else []
        elif attribute == PRODUCTS and isinstance(raw, list):
            yield from _products(name, raw)
        elif attribute == CHANGED_AT:
            yield from _changed(name, raw)
        elif attribute == CONDITION and directions.get((endpoint, cluster)) == UP:
            yield f"{name}.used", raw
        elif isinstance(raw, str | int | float):
            yield name, raw


def _products(name: str, products: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """A replacement product each, by the kind of its number; of a kind that comes twice both, the second as `ean2`."""
    seen: dict[str, int] = {}
    for product in products[:_PRODUCTS_MAX]:
        if not isinstance(product, dict):
            continue
        by_name = {key.lower(): raw for key, raw in product.items()}
        kind = by_name.get("0", by_name.get("productidentifiertype"))
        value = by_name.get("1", by_name.get("productidentifiervalue"))
        if isinstance(kind, int) and 0 <= kind < len(_PRODUCT_KINDS) and isinstance(value, str) and value:
            word = _PRODUCT_KINDS[kind]
            seen[word] = seen.get(word, 0) + 1
            yield f"{name}.{word}{'' if seen[word] == 1 else seen[word]}", value


def _changed(name: str, raw: Any) -> Iterator[tuple[str, str]]:
    """When it was changed: seconds since 2000, as a time."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw < 2**32:
        yield name, (_EPOCH + timedelta(seconds=raw)).isoformat().replace("+00:00", "Z")
