"""Matter's clusters and attributes by name: the state of an endpoint, as matter.js keeps it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NUMBER = re.compile(r"0x([0-9a-fA-F_]{1,9})|[0-9]{1,10}", re.ASCII)
_CLUSTERS = {"hepafiltermonitoring": 113, "activatedcarbonfiltermonitoring": 114, "watertanklevelmonitoring": 121}
_ATTRIBUTES = (
    "condition",
    "degradationdirection",
    "changeindication",
    "inplaceindicator",
    "lastchangedtime",
    "replacementproductlist",
)
_ENDPOINT = 1
"""Where an endpoint's state stands alone: a device's own endpoint is its first after the root."""


def read_state(content: Mapping[str, Any]) -> Iterator[tuple[tuple[int, int, int], Any]]:
    """The clusters in an endpoint's state by name, or in a node's by endpoint (`{"1": {…}}`), there also by number."""
    for name, state in content.items():
        if not isinstance(state, dict):
            continue
        if name.lower() in _CLUSTERS:
            yield from _read_cluster(_ENDPOINT, _CLUSTERS[name.lower()], state)
        elif (endpoint := number_of(name)) is not None:
            for cluster, attributes in state.items():
                known = _CLUSTERS.get(cluster.lower(), number_of(cluster))
                if known is not None and isinstance(attributes, dict):
                    yield from _read_cluster(endpoint, known, attributes)


def number_of(raw: Any) -> int | None:
    """An id, also as digits in a text (`113`, `0x71`); None for anything else."""
    if isinstance(raw, str) and (match := _NUMBER.fullmatch(raw)):
        return int(match[1].replace("_", "") or "0", 16) if match[1] else int(raw)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _read_cluster(
    endpoint: int, cluster: int, attributes: Mapping[str, Any]
) -> Iterator[tuple[tuple[int, int, int], Any]]:
    for name, raw in attributes.items():
        plain = name.lower()
        number = _ATTRIBUTES.index(plain) if plain in _ATTRIBUTES else number_of(name)
        if number is not None:
            yield (endpoint, cluster, number), raw
