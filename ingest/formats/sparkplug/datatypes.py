"""Sparkplug B's data types: numbers come without their sign, and some types are no single value."""

from typing import Any

_NAMES = (
    "Unknown Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float Double Boolean String DateTime Text UUID DataSet"
    " Bytes File Template PropertySet PropertySetList"
)
_NUMBERS = {name.casefold(): number for number, name in enumerate(_NAMES.split())}
_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_UNSIGNED = {5: 8, 6: 16, 7: 32, 8: 64}
_SINGLE = frozenset(range(16))


def datatype_of(raw: Any) -> int:
    """A data type by its number or by its name; 0 when it is neither."""
    if isinstance(raw, str):
        return _NUMBERS.get(raw.casefold(), 0)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 2**32 else 0


def read_value(raw: Any, datatype: int) -> Any:
    """A value of a data type; None where there is none, or where the type is a table, a template, a file or a list."""
    if raw is None or datatype not in _SINGLE:
        return None
    if datatype in _BITS and isinstance(raw, int) and not isinstance(raw, bool):
        bits = _BITS[datatype]
        value = raw & (2**bits - 1)
        return value - 2**bits if value >= 2 ** (bits - 1) else value
    if datatype in _UNSIGNED and isinstance(raw, int) and not isinstance(raw, bool):
        return raw & (2 ** _UNSIGNED[datatype] - 1)
    return raw
