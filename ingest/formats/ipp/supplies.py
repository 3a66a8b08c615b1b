"""What printers say of their supplies, in whichever list: by the supply's own name, in percent where it is one.

A supply says `.level` in percent remaining, a waste box that counts up says `.filled` in percent used; where the maker
warns is `.low_level`, and its colour, in a word where there is one, `.color`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.formats.json_values import as_number

_COLOURS = {"#000000": "black", "#00ffff": "cyan", "#ff00ff": "magenta", "#ffff00": "yellow"}
# Printer-MIB: 19 is percent, and of what is neither counted nor weighed the largest value is unknown.
_PERCENT = ("19", "percent")


@dataclass(frozen=True, slots=True)
class Supply:
    """One supply as it is listed. `level` is in units of `capacity`, where that is known."""

    name: Any
    level: Any
    capacity: Any = None
    unit: Any = None
    colour: Any = ""
    kind: Any = ""


def name_supply(supply: Supply) -> str:
    """What a supply is called among the values."""
    return str(supply.name or supply.kind or "supply").strip()[:64]


def say_supply(supply: Supply) -> Iterator[tuple[str, Any]]:
    """Its level in percent; nothing when the printer does not know it (-1, -2) or says only that some is left (-3)."""
    level, capacity = as_number(supply.level), as_number(supply.capacity)
    if not _is_amount(level):
        return
    name = name_supply(supply)
    yield from _say_colour(supply)
    if _is_amount(capacity) and capacity > 0:
        yield f"{name}.level", round(100 * level / capacity, 2)
    elif str(supply.unit or "percent").lower() in _PERCENT:
        yield f"{name}.level", level


def say_marker(supply: Supply, limits: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """IPP's markers: always percent, and of a waste box how full it is."""
    level = as_number(supply.level)
    yield from _say_colour(supply)
    if _is_amount(level):
        waste = str(supply.kind or "").lower().startswith("waste")
        yield f"{name_supply(supply)}.{'filled' if waste else 'level'}", level
    for key, raw in limits.items():
        if _is_amount(limit := as_number(raw)):
            yield f"{name_supply(supply)}.{key}", limit


def _say_colour(supply: Supply) -> Iterator[tuple[str, str]]:
    colour = supply.colour.strip().lower() if isinstance(supply.colour, str) else ""
    if colour and colour != "none":
        yield f"{name_supply(supply)}.color", _COLOURS.get(colour, colour)[:64]


def _is_amount(raw: Any) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and raw >= 0
