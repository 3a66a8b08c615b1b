"""The attributes in a message of a controller, by endpoint, cluster and number."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import refuse_error
from ingest.formats.matter.names import number_of, read_state

# The clusters of Resource Monitoring: HEPA filter, activated carbon filter, water tank level.
MONITORED = {113, 114, 121}
CONDITION, DIRECTION, CHANGED_AT, PRODUCTS = 0, 1, 4, 5
UP = 0
"""The condition counts up: it is what is used."""

_PATH = re.compile(r"([0-9]{1,5})/([0-9]{1,10})/([0-9]{1,10})")
_AROUND = ("data", "result", "results", "attributes")

Path = tuple[int, int, int]


def read_attributes(content: Any) -> Iterator[tuple[Path, Any]]:
    """Those of a node, of one that changed (`[node, path, value]`), reports of some, or alone; ValueError when there
    are none."""
    if isinstance(content, list):
        yield from _read_list(content)
        return
    if not isinstance(content, dict):
        raise ValueError(f"the payload is {quote(content)}, not a node and not its attributes")
    refuse_error({**content, "code": content.get("error_code", 0)})
    inner = next((content[key] for key in _AROUND if key in content), None)
    report = _report(content)
    if report is not None:
        yield report
    elif inner is not None:
        yield from read_attributes(inner)
    else:
        yield from _read_object(content)


def _read_list(content: list[Any]) -> Iterator[tuple[Path, Any]]:
    if len(content) == 3 and isinstance(content[1], str):
        yield from read_attributes({content[1]: content[2]})
    elif content and all(isinstance(one, dict) and _report(one) for one in content):
        yield from (report for one in content if (report := _report(one)))
    elif len(content) == 1:
        yield from read_attributes(content[0])
    else:
        raise ValueError(f"the payload is a list of {len(content)}: publish each node on the topic of its own serial")


def _report(content: Mapping[str, Any]) -> tuple[Path, Any] | None:
    """One attribute as chip-tool (`clusterId`, …) and matter.js (the same in `path`) report it; None for any other."""
    path = content["path"] if isinstance(content.get("path"), dict) else content
    ids = [number_of(path.get(f"{key}Id", path.get(key))) for key in ("endpoint", "cluster", "attribute")]
    numbers = [one for one in ids if one is not None]
    if "value" not in content or len(numbers) < len(ids):
        return None
    endpoint, cluster, attribute = numbers
    return (endpoint, cluster, attribute), content["value"]


def _read_object(content: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    paths = [(match, raw) for key, raw in content.items() if (match := _PATH.fullmatch(key))]
    named = list(read_state(content))
    if content and not paths and not named:
        raise ValueError("no name in the payload is a path of endpoint/cluster/attribute")
    yield from (((int(match[1]), int(match[2]), int(match[3])), raw) for match, raw in paths)
    yield from named
