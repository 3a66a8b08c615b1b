"""What printers say of their supplies, in whichever list: by the supply's own name, in percent where it is one.

A supply says `.level` in percent remaining, a waste box that counts up says `.filled` in percent used; where the maker
warns is `.low_level`, and its colour, in a word where there is one, `.color`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.formats.json_values import as_number

_COLOURS = {"#000000": "black", "#00ffff": "cyan", "#ff00ff": "magenta", "#ffff00": "yellow"}
# Printer-MIB: 19 is percent, and of what is neither counted nor weighed the largest value is unknown.
_PERCENT = ("19", "percent")
_NO_COLOUR = ("", "none", "unknown", "other")
_FULL = 100


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
    """What a supply is called among the values: by its own name, else by colour and kind."""
    words = filter(None, [_colour_of(supply), _text(supply.kind)])
    return (_text(supply.name) or " ".join(words) or "supply")[:64]


def number_names(supplies: Sequence[Supply]) -> list[Supply]:
    """The supplies with names of their own: of two that are called the same the second is `… 2`."""
    seen: dict[str, int] = {}
    named = []
    for supply in supplies:
        name = name_supply(supply)
        seen[name] = seen.get(name, 0) + 1
        named.append(replace(supply, name=name if seen[name] == 1 else f"{name[:60]} {seen[name]}"))
    return named


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
    """IPP's markers: always percent, and of a waste box, which is full at its high level, how full it is."""
    level, high = as_number(supply.level), as_number(limits.get("high_level"))
    yield from _say_colour(supply)
    if _is_amount(level):
        fills = _text(supply.kind).lower().startswith("waste") or (_is_amount(high) and 0 < high < _FULL)
        yield f"{name_supply(supply)}.{'filled' if fills else 'level'}", level
    if _is_amount(limit := as_number(limits.get("low_level"))):
        yield f"{name_supply(supply)}.low_level", limit


def _say_colour(supply: Supply) -> Iterator[tuple[str, str]]:
    if colour := _colour_of(supply):
        yield f"{name_supply(supply)}.color", colour


def _colour_of(supply: Supply) -> str:
    """In a word where there is one; empty where there is no colour."""
    colour = _text(supply.colour).lower()
    return "" if colour in _NO_COLOUR else _COLOURS.get(colour, colour)[:64]


def _text(raw: Any) -> str:
    return raw.strip() if isinstance(raw, str) else ""


def _is_amount(raw: Any) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and raw >= 0
