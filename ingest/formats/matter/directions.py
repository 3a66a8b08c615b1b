"""Whether a filter's condition counts up or down: a node says it once, and what changed later comes without it."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from ingest.formats.describing import Describing, Description
from ingest.formats.json_values import bridged, read_json
from ingest.formats.matter.attributes import DIRECTION, MONITORED, Path, read_attributes
from ingest.formats.matter.chip_tool import is_log, read_log
from ingest.nouns import Delivery


def read_payload(payload: bytes) -> Any:
    """What a controller says, as JSON; ValueError when it is none, and no log of chip-tool."""
    return read_log(payload) if is_log(payload) else read_json(payload)


def known_directions(delivery: Delivery, attributes: Mapping[Path, object]) -> dict[tuple[int, int], object]:
    """The direction of each endpoint's cluster: of this message, else as its node said before."""
    described = (delivery.described or {}).get(_key(delivery))
    before = {} if described is None else dict(_from_json(described))
    return {**before, **{path[:2]: raw for path, raw in attributes.items() if _is_direction(path, raw)}}


def _needs(delivery: Delivery) -> Collection[str]:
    key = _key(delivery)
    return (key,) if key else ()


def _describes(delivery: Delivery) -> Mapping[str, Description]:
    attributes = dict(read_attributes(read_payload(delivery.payload)))
    told = any(_is_direction(path, raw) for path, raw in attributes.items())
    if not told or not _key(delivery):
        return {}
    known = known_directions(delivery, attributes)
    said = {f"{endpoint}/{cluster}": raw for (endpoint, cluster), raw in known.items()}
    return {_key(delivery): Description(json.dumps(said).encode(), owner=_key(delivery))}


def _is_direction(path: Path, raw: object) -> bool:
    return path[1] in MONITORED and path[2] == DIRECTION and raw in (0, 1)


def _key(delivery: Delivery) -> str:
    return bridged(delivery)


def _from_json(body: bytes) -> list[tuple[tuple[int, int], object]]:
    pairs = ((name.split("/"), raw) for name, raw in json.loads(body).items())
    return [((int(endpoint), int(cluster)), raw) for (endpoint, cluster), raw in pairs]


DIRECTIONS = Describing(_needs, _describes)
