"""IPP printers: the attributes that `Get-Printer-Attributes` answers, as JSON.

The markers stand in parallel lists (`marker-names`, `marker-levels`, …); a printer with one marker may send single
values. Newer printers also list `printer-supply`, in the words of the Printer-MIB. Read as well are attributes under
`printers`, and markers that a library has put together already (`markers`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.formats.ipp.supplies import Supply, say_marker, say_supply
from ingest.formats.json_values import bridged, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_MARKERS_MAX = 64
_AROUND = ("printers", "printer-attributes", "printer")


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is no printer's attributes."""
    attributes = _attributes(read_json(delivery.payload))
    model, up_s = attributes.get("printer-make-and-model"), attributes.get("printer-up-time")
    return [
        Saying(
            bridged(delivery),
            dict(_values(attributes)),
            model=model if isinstance(model, str) else "",
            uptime_s=up_s if isinstance(up_s, int | float) and not isinstance(up_s, bool) else None,
        )
    ]


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


def _parallel(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    columns = {key: _column(attributes, f"marker-{key}") for key in ("names", "levels", "types", "colors")}
    low = _column(attributes, "marker-low-levels")
    for index, level in enumerate(columns["levels"]):
        name, kind, colour = (_at(columns[key], index) for key in ("names", "types", "colors"))
        limits = {} if _at(low, index) is None else {"low_level": low[index]}
        yield from say_marker(Supply(name, level, colour=colour, kind=kind), limits)


def _at(column: Sequence[Any], index: int) -> Any:
    return column[index] if index < len(column) else None


def _put_together(markers: Any) -> Iterator[tuple[str, Any]]:
    for marker in markers[:_MARKERS_MAX] if isinstance(markers, list) else []:
        if isinstance(marker, dict):
            kind = marker.get("marker_type", marker.get("type"))
            supply = Supply(marker.get("name"), marker.get("level"), colour=marker.get("color"), kind=kind)
            yield from say_marker(supply, {"low_level": marker.get("low_level")})


def _listed(supplies: Sequence[Any], names: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """`printer-supply`: a text each, `type=toner;maxcapacity=100;level=75;unit=percent;colorantname=black;`."""
    for index, text in enumerate(supplies):
        fields = dict(_fields(str(text)))
        yield from say_supply(
            Supply(
                _at(names, index),
                fields.get("level"),
                fields.get("maxcapacity"),
                fields.get("unit"),
                fields.get("colorantname"),
                fields.get("type"),
            )
        )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for field in text.split(";")[:_MARKERS_MAX]:
        key, _, value = field.partition("=")
        if value:
            yield key.strip().lower(), value.strip()
