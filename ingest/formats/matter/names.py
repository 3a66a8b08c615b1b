"""Matter's clusters and attributes by name: the state of an endpoint, as matter.js keeps it."""

from collections.abc import Iterator, Mapping
from typing import Any

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


def read_state(content: Mapping[str, Any], endpoint: int = _ENDPOINT) -> Iterator[tuple[tuple[int, int, int], Any]]:
    """The monitored clusters in an endpoint's state, or in a node's state by endpoint (`{"1": {…}}`)."""
    for name, state in content.items():
        if not isinstance(state, dict):
            continue
        cluster = _CLUSTERS.get(name.lower())
        if cluster is not None:
            yield from (((endpoint, cluster, attribute), state[key]) for attribute, key in _known(state))
        elif name.isascii() and name.isdigit() and len(name) <= 5:
            yield from read_state(state, int(name))


def _known(state: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for key in state:
        if key.lower() in _ATTRIBUTES:
            yield _ATTRIBUTES.index(key.lower()), key
