"""The Printer-MIB's table of supplies, by object numbers or by its names, as a poller puts it into JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.formats.ipp.supplies import Supply, say_supply

_TABLE = "1.3.6.1.2.1.43.11.1.1."
_COLUMNS = {"4": "Class", "5": "Type", "6": "Description", "7": "SupplyUnit", "8": "MaxCapacity", "9": "Level"}
_NAMED = "prtMarkerSupplies"
_SUPPLIES_MAX = 64


def read_supplies(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The level of each supply in percent remaining; of a waste box it is the room that is left."""
    for row in list(_rows(content).values())[:_SUPPLIES_MAX]:
        yield from say_supply(
            Supply(row.get("Description"), row.get("Level"), row.get("MaxCapacity"), row.get("SupplyUnit"))
        )


def _rows(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for key, value in content.items():
        column, _, row = _split(key)
        if column:
            rows.setdefault(row, {})[column] = value
    return rows


def _split(key: str) -> tuple[str, str, str]:
    if _TABLE in key:
        number, dot, row = key.partition(_TABLE)[2].partition(".")
        return _COLUMNS.get(number, ""), dot, row
    return key.partition(_NAMED)[2].partition(".") if _NAMED in key else ("", "", "")
