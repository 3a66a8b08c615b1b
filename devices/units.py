"""Units that devices say things in, and how to come from one to another of the same kind."""

from dataclasses import dataclass
from typing import NamedTuple


class Step(NamedTuple):
    """A value in one unit is `scale` times a value in another, plus `offset`."""

    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a unit measures, how to come from it to the first of its kind, and how else it is written."""

    kind: str
    scale: float = 1.0
    offset: float = 0.0
    also: str = ""


_UNITS = {
    "s": _Unit("time", also="sec second seconds"),
    "ms": _Unit("time", 0.001, also="millisecond milliseconds"),
    "min": _Unit("time", 60, also="mins minute minutes"),
    "h": _Unit("time", 3_600, also="hr hrs hour hours"),
    "d": _Unit("time", 86_400, also="day days"),
    "week": _Unit("time", 604_800, also="weeks"),
    "litres": _Unit("volume", also="l litre liter liters"),
    "ml": _Unit("volume", 0.001, also="millilitre millilitres milliliter milliliters"),
    "dl": _Unit("volume", 0.1),
    "m3": _Unit("volume", 1_000, also="m³"),
    "gal": _Unit("volume", 3.785411784, also="gallon gallons"),
    "wh": _Unit("energy"),
    "kwh": _Unit("energy", 1_000),
    "j": _Unit("energy", 1 / 3_600),
    "w": _Unit("power"),
    "kw": _Unit("power", 1_000),
    "v": _Unit("voltage"),
    "mv": _Unit("voltage", 0.001),
    "a": _Unit("current"),
    "ma": _Unit("current", 0.001),
    "m": _Unit("length"),
    "km": _Unit("length", 1_000),
    "cm": _Unit("length", 0.01),
    "mm": _Unit("length", 0.001),
    "m2": _Unit("area", also="m²"),
    "cm2": _Unit("area", 0.0001, also="cm²"),
    "mm2": _Unit("area", 0.000001, also="mm²"),
    "g": _Unit("mass"),
    "kg": _Unit("mass", 1_000),
    "mg": _Unit("mass", 0.001),
    "pct": _Unit("share", also="% percent percentage"),
    "fraction": _Unit("share", 100),
    "permille": _Unit("share", 0.1),
    "c": _Unit("temperature", also="°c celsius"),
    "f": _Unit("temperature", 5 / 9, -160 / 9, also="°f fahrenheit"),
    "k": _Unit("temperature", 1, -273.15, also="kelvin"),
    "ug/m3": _Unit("density", also="µg/m³ μg/m³ µg/m3 μg/m3"),
    "mg/m3": _Unit("density", 1_000, also="mg/m³"),
    "ppm": _Unit("parts"),
    "ppb": _Unit("parts", 0.001),
    "l/min": _Unit("flow"),
    "l/h": _Unit("flow", 1 / 60),
    "ml/min": _Unit("flow", 0.001),
    "hpa": _Unit("pressure", also="mbar"),
    "pa": _Unit("pressure", 0.01),
    "kpa": _Unit("pressure", 10),
    "bar": _Unit("pressure", 1_000),
    "pages": _Unit("pages", also="page impressions sheets"),
    "cycles": _Unit("cycles", also="cycle"),
    "count": _Unit("count", also="times"),
    "level": _Unit("level"),
    "dbm": _Unit("signal"),
    "rpm": _Unit("turning"),
}
_SPELLINGS = {spelling: name for name, unit in _UNITS.items() for spelling in (name, *unit.also.split())}


def find_unit(spelling: str) -> str | None:
    """The unit that something like `Minutes`, `L` or `%` stands for; None when it is not a known one."""
    return _SPELLINGS.get(spelling.strip().lower())


def step_between(unit: str, to: str) -> Step | None:
    """How to come from a value in `unit` to one in `to`; None when that cannot be known. The same word needs none."""
    if unit == to:
        return Step()
    one, other = find_unit(unit), find_unit(to)
    if one is None or other is None or _UNITS[one].kind != _UNITS[other].kind:
        return None
    base = _UNITS[other]
    return Step(_UNITS[one].scale / base.scale, (_UNITS[one].offset - base.offset) / base.scale)


def unit_names() -> list[str]:
    """Every known unit, as we write it."""
    return list(_UNITS)
