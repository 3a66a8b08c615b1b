"""Brother's maintenance counters over SNMP: rows of hexadecimal digits, of which the first two say what is counted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BROTHER = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5."
_COUNTERS, _MAINTENANCE, _NEXT_CARE = f"{_BROTHER}10.0", f"{_BROTHER}8.0", f"{_BROTHER}11.0"
_STATUS, _MODEL = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.4.5.2.0", "1.3.6.1.4.1.2435.2.3.9.1.1.7.0"
_PAGES = "1.3.6.1.2.1.43.10.2.1.4.1.1"

_COUNTED = {
    "00": "page_counter",
    "01": "bw_counter",
    "02": "color_counter",
    "06": "duplex_unit_pages_counter",
    "12": "black_counter",
    "13": "cyan_counter",
    "14": "magenta_counter",
    "15": "yellow_counter",
    "16": "image_counter",
}
_LASER = {
    "11": "drum_counter",
    "41": "drum_remaining_life",
    "63": "drum_status",
    "69": "belt_unit_remaining_life",
    "6a": "fuser_remaining_life",
    "6b": "laser_remaining_life",
    "6c": "pf_kit_mp_remaining_life",
    "6d": "pf_kit_1_remaining_life",
    "73": "cyan_drum_counter",
    "74": "magenta_drum_counter",
    "75": "yellow_drum_counter",
    "79": "cyan_drum_remaining_life",
    "7a": "magenta_drum_remaining_life",
    "7b": "yellow_drum_remaining_life",
    "7e": "black_drum_counter",
    "80": "black_drum_remaining_life",
}
_CARE = {
    "73": "laser_unit_remaining_pages",
    "77": "pf_kit_1_remaining_pages",
    "82": "drum_remaining_pages",
    "86": "pf_kit_mp_remaining_pages",
    "88": "belt_unit_remaining_pages",
    "89": "fuser_unit_remaining_pages",
    "a4": "black_drum_remaining_pages",
    "a5": "cyan_drum_remaining_pages",
    "a6": "magenta_drum_remaining_pages",
    "a7": "yellow_drum_remaining_pages",
}
_COLOURS = ("black", "cyan", "magenta", "yellow")
_ROW, _OLD_ROW = 14, 10
_ROWS_MAX = 256


def read_maintenance(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values in an answer by object numbers, under the names that Brother's printers are known by."""
    # Printers count their pages themselves too, and that is the better count: it comes later.
    if isinstance(content.get(_PAGES), str | int):
        yield "page_counter", content[_PAGES]
    if isinstance(content.get(_STATUS), str):
        yield "status", " ".join(content[_STATUS].split()).lower()
    rows = {oid: _rows(content.get(oid)) for oid in (_COUNTERS, _MAINTENANCE, _NEXT_CARE)}
    ink = _is_ink(str(content.get(_MODEL, "")), rows[_MAINTENANCE])
    yield from _read(rows[_COUNTERS], _COUNTED)
    yield from _read(rows[_NEXT_CARE], _CARE)
    yield from _read(rows[_MAINTENANCE], _supplies("ink") if ink else {**_LASER, **_supplies("toner")})


def model_of(content: Mapping[str, Any]) -> str:
    """The model in the printer's description (`MFG:Brother;…;MDL:HL-L2340DW series;…`)."""
    fields = str(content.get(_MODEL, "")).split(";")
    model = next((field.removeprefix("MDL:") for field in fields if field.startswith("MDL:")), "")
    return model.removesuffix(" series").strip()


def _rows(raw: Any) -> Sequence[str]:
    """Rows, one by one or as they are read: all in one text, and `ff` at its end."""
    if isinstance(raw, str):
        digits = "".join(raw.split()).removeprefix("0x")
        return [digits[start : start + _ROW] for start in range(0, len(digits[: _ROW * _ROWS_MAX]), _ROW)]
    return [row for row in raw[:_ROWS_MAX] if isinstance(row, str)] if isinstance(raw, list) else []


def _is_ink(description: str, rows: Sequence[str]) -> bool:
    """Ink and toner share their numbers: a J or T in the model's name is ink, and so are the oldest rows."""
    model = description.partition("MDL:")[2].partition(";")[0]
    return model.partition("-")[2][:1] in ("J", "T") or any(len(row) == _OLD_ROW for row in rows)


def _supplies(kind: str) -> dict[str, str]:
    """What is said of each colour's cartridge: its status, its level, and that of printers without levels."""
    firsts = ((0x31, f"{kind}_status"), (0x6F, f"{kind}_remaining"), (0x81, kind), (0xA1, f"{kind}_remaining"))
    return {f"{first + i:02x}": f"{colour}_{what}" for first, what in firsts for i, colour in enumerate(_COLOURS)}


def _read(rows: Sequence[str], names: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for row in rows:
        name = names.get(row[:2].lower())
        try:
            value = _value(row, percent="remaining" in (name or "") and "pages" not in (name or ""))
        except (ValueError, ZeroDivisionError):
            continue
        if name is not None:
            yield name, value


def _value(row: str, *, percent: bool) -> float:
    """A row's last four bytes, of percentages hundredths; of the oldest rows one byte of another."""
    if len(row) == _OLD_ROW:
        return round(100 * int(row[6:8], 16) / int(row[8:10], 16))
    if len(row) != _ROW:
        raise ValueError(f"a row has {len(row)} digits")
    return int(row[-8:], 16) / 100 if percent else int(row[-8:], 16)
