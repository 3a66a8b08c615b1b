"""Files of events: each row as a call of Segment's tracking API, with its number in the file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import DecodeError
from msgspec.json import decode, encode

from millpond.kernel.errors import InvalidInput
from millpond.kernel.table_file import Row, read_chunks, read_names

CHUNK_ROWS = 5_000
_LINES = (".ndjson", ".jsonl", ".json")
_LINE_MAX_BYTES = 1_048_576
_CALL = {
    "type": "type",
    "event": "event",
    "name": "name",
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "previous_id": "previousId",
    "group_id": "groupId",
    "message_id": "messageId",
    "timestamp": "timestamp",
    "sent_at": "sentAt",
}
_NESTED = ("properties", "traits", "context")
_TEXTS = re.compile(r"(^|[._])(id|sku|code|coupon|query|category|name|brand)$")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class CallRows:
    """Calls that follow each other in a file, by their bytes and with the number of their line or row.

    `unread` are rows of which no call could be made, with a sentence for each; `done` of `of` are read now.
    """

    numbers: dict[bytes, int]
    unread: list[tuple[int, str]]
    done: int
    of: int


def read_call_rows(path: Path, size: int = CHUNK_ROWS) -> Iterator[CallRows]:
    """The calls in a file: a line each (`.ndjson`, `.jsonl`), or a row each of a Parquet file or of CSV.

    A column named as a field of a call (`event`, `user_id`, `timestamp`, …) is that field; `properties.x`, `traits.x`
    and `context.x` go where they say, and every other column is a property. Raises InvalidInput for a file that is none
    of them, ConfigurationError for Parquet without pyarrow.
    """
    return _read_lines(path, size) if path.suffix.lower() in _LINES else _read_table(path, size)


def _read_lines(path: Path, size: int) -> Iterator[CallRows]:
    of, done = path.stat().st_size, 0
    with path.open("rb") as file:
        numbered = enumerate(_lines(file), start=1)
        while lines := list(islice(numbered, size)):
            done += sum(len(line) for _, line in lines)
            numbers = dict[bytes, int]()
            for number, line in lines:
                numbers.setdefault(line.strip(), number)
            numbers.pop(b"", None)
            yield CallRows(numbers, [], done, of)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LINE_MAX_BYTES):
        yield line


def _read_table(path: Path, size: int) -> Iterator[CallRows]:
    names = read_names(path)
    if "event" not in names and "type" not in names:
        raise InvalidInput(f"{path} has no column event or type: it says of each row what happened")
    for chunk in read_chunks(path, names, size):
        numbers, unread = dict[bytes, int](), list[tuple[int, str]]()
        for row in chunk.rows:
            if isinstance(row.cells, str):
                unread.append((row.number, row.cells))
            else:
                numbers.setdefault(encode(make_call(names, row)), row.number)
        yield CallRows(numbers, unread, chunk.done, chunk.of)


def make_call(names: Sequence[str], row: Row) -> Mapping[str, Any]:
    """The call that a row says; empty cells say nothing. A row without a type is a track call."""
    call: dict[str, Any] = {"type": "track"}
    for name, cell in zip(names, row.cells, strict=True):
        if cell is None or cell == "":
            continue
        field = _CALL.get(name)
        if field is not None:
            call[field] = _plain(cell)
        else:
            path = name.split(".") if name.split(".", 1)[0] in _NESTED else ["properties", name]
            _put(call, path, _value(name, cell))
    return call


def _put(call: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        inner = call.setdefault(step, {})
        call = inner if isinstance(inner, dict) else {}
    call[path[-1]] = value


def _value(name: str, cell: Any) -> Any:
    """What a cell of text means: a number, true or false, a list or an object; what names something stays text."""
    if not isinstance(cell, str) or _TEXTS.search(name):
        return _plain(cell)
    if cell in _WORDS:
        return _WORDS[cell]
    if _NUMBER.fullmatch(cell) or cell[0] in "[{":
        try:
            return decode(cell)
        except DecodeError:
            return cell
    return cell


def _plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime | date) else cell
