"""IPP printers: the attributes that `Get-Printer-Attributes` answers, as JSON.

The markers stand in parallel lists (`marker-names`, `marker-levels`, …); a printer with one marker may send single
values. Newer printers also list `printer-supply`, in the words of the Printer-MIB. Read as well are attributes under
`printers`, and markers that a library has put together already (`markers`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.formats.ipp.supplies import Supply, number_names, say_marker, say_supply
from ingest.formats.json_values import bridged, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_MARKERS_MAX = 64
_ITEM = re.compile(r'"[^"]*"|[^,]+')
_AROUND = ("printers", "printer-attributes", "printer", "attributes")


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is no printer's attributes."""
    attributes = _attributes(read_json(delivery.payload))
    model = attributes.get("printer-make-and-model")
    return [Saying(bridged(delivery), dict(_values(attributes)), model=model if isinstance(model, str) else "")]


def _attributes(content: Any) -> Mapping[str, Any]:
    if isinstance(content, list) and content:
        content = content[0]
    content = require_object(content, "the payload")
    inner = next((content[key] for key in _AROUND if isinstance(content.get(key), dict | list) and content[key]), None)
    return content if inner is None else _attributes(inner)


def _values(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, raw in attributes.items():
        if isinstance(raw, str | int | float) and not name.startswith("marker-"):
            yield name, raw
        elif name == "printer-state-reasons" and isinstance(raw, list):
            yield name, ",".join(map(str, raw))
    yield from _parallel(attributes)
    yield from _put_together(attributes.get("markers"))
    yield from _listed(_column(attributes, "printer-supply"), _column(attributes, "printer-supply-description"))


def _column(attributes: Mapping[str, Any], name: str) -> Sequence[Any]:
    """One of the parallel lists; a single value is a list of one."""
    raw = attributes.get(name)
    return raw[:_MARKERS_MAX] if isinstance(raw, list) else [] if raw is None else [raw]


def _markers(attributes: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list of the markers'; where their levels stand in one text, so do the others, with commas between them."""
    raw, levels = attributes.get(f"marker-{name}"), attributes.get("marker-levels")
    if isinstance(raw, str) and isinstance(levels, str) and "," in levels:
        return [item.strip(' "') for item in _ITEM.findall(raw)[:_MARKERS_MAX]]
    return _column(attributes, f"marker-{name}")


def _parallel(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    columns = {key: _markers(attributes, key) for key in ("names", "levels", "types", "colors")}
    low, high = (_markers(attributes, f"{key}-levels") for key in ("low", "high"))
    rows = [[_at(columns[key], index) for key in columns] for index in range(len(columns["levels"]))]
    supplies = [Supply(name, level, colour=colour, kind=kind) for name, level, kind, colour in rows]
    for index, supply in enumerate(number_names(supplies)):
        yield from say_marker(supply, {"low_level": _at(low, index), "high_level": _at(high, index)})


def _at(column: Sequence[Any], index: int) -> Any:
    return column[index] if index < len(column) else None


def _put_together(markers: Any) -> Iterator[tuple[str, Any]]:
    for marker in markers[:_MARKERS_MAX] if isinstance(markers, list) else []:
        if isinstance(marker, dict):
            kind = marker.get("marker_type", marker.get("type"))
            supply = Supply(marker.get("name"), marker.get("level"), colour=marker.get("color"), kind=kind)
            yield from say_marker(supply, marker)


def _listed(supplies: Sequence[Any], names: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """`printer-supply`: a text each, `type=toner;maxcapacity=100;level=75;unit=percent;colorantname=black;`."""
    listed = [_supply(dict(_fields(str(text))), _at(names, index)) for index, text in enumerate(supplies)]
    for supply in number_names(listed):
        yield from say_supply(supply)


def _supply(fields: Mapping[str, str], name: Any) -> Supply:
    colour, kind = fields.get("colorantname"), fields.get("type")
    return Supply(name, fields.get("level"), fields.get("maxcapacity"), fields.get("unit"), colour, kind)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for field in text.split(";")[:_MARKERS_MAX]:
        key, _, value = field.partition("=")
        if value:
            yield key.strip().lower(), value.strip()
