"""Bytes as a person looks at them: rows of hexadecimal numbers beside their text, and the place where they break."""

import json
from dataclasses import dataclass
from typing import NoReturn

_A_ROW = 8
_BEFORE, _SHOWN = 64, 256


@dataclass(frozen=True, slots=True)
class DumpRow:
    """Eight bytes from `offset` on; `broken` is the place among them where the payload breaks, None when elsewhere."""

    offset: int
    hexadecimal: tuple[str, ...]
    text: tuple[str, ...]
    broken: int | None


def find_break(payload: bytes) -> int | None:
    """The offset of the first byte that is no UTF-8, or at which the text is no JSON; None when it is JSON."""
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        return error.start
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return len(text[: error.pos].encode())
    except (ValueError, RecursionError):
        return None
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def dump_rows(payload: bytes, broken: int | None = None) -> list[DumpRow]:
    """Up to 256 bytes: the beginning, or what is around the place where it breaks."""
    start = 0 if broken is None or broken < _SHOWN - _A_ROW else (broken - _BEFORE) // _A_ROW * _A_ROW
    end = min(len(payload), start + _SHOWN)
    # Where something is missing at the end, the place is behind the last byte.
    if broken is not None and broken < start + _SHOWN:
        end = max(end, broken + 1)
    return [_row(payload, offset, broken) for offset in range(start, end, _A_ROW)]


def _row(payload: bytes, offset: int, broken: int | None) -> DumpRow:
    row = payload[offset : offset + _A_ROW]
    here = broken - offset if broken is not None and 0 <= broken - offset < _A_ROW else None
    text = tuple(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
    return DumpRow(offset, tuple(f"{byte:02x}" for byte in row), text, here)
