"""A file into the catalogue, row by row: the good rows are stored, the bad ones named, a second run changes nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.table_file import Chunk, read_chunks, text_cells

_CHUNK_ROWS = 1_000
_T = TypeVar("_T")

Progress = Callable[[int, int], None]
_Seen = dict[str, tuple[int, int]]
"""By what a row is about: the number of the first such row, and the hash of its cells."""


@dataclass(slots=True)
class FileImport:
    """What became of the rows; `faults` are sentences that begin with `FILE:LINE:`. `unread` columns mean nothing here.

    `added`, `changed` and `unchanged` count what the rows are about; a line that comes twice is unchanged the second
    time. `repriced` are those of the changed that have another price.
    """

    unread: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repriced: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Numbered(Generic[_T]):
    """What a row says, and the row's number."""

    number: int
    says: _T


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a chunk; `refused` are sentences by the number of the row."""

    added: int
    changed: int
    repriced: int = 0
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowKind(Generic[_T]):
    """What rows of one kind of file are: how one is read from its cells (InvalidInput when it cannot be), what no two
    rows may say differently, and how the rows of a chunk are stored, in the transaction that is open then."""

    read: Callable[[dict[str, str]], _T]
    key: Callable[[_T], str]
    store: Callable[[Sequence[Numbered[_T]]], Stored]


def import_rows(
    conn: WriteConnection, path: Path, columns: Sequence[str], kind: RowKind[_T], result: FileImport, progress: Progress
) -> FileImport:
    """Store the rows of a file, one transaction a chunk, and count in `result` what became of them."""
    seen: _Seen = {}
    for chunk in read_chunks(path, columns, _CHUNK_ROWS):
        faults: dict[int, str] = {}
        with conn.transaction():
            stored = kind.store(list(_read_chunk(chunk, columns, kind, seen, faults)))
        _count(result, path, chunk, stored, faults | stored.refused)
        progress(chunk.done, chunk.of)
    return result


def _read_chunk(
    chunk: Chunk, columns: Sequence[str], kind: RowKind[_T], seen: _Seen, faults: dict[int, str]
) -> Iterator[Numbered[_T]]:
    """The rows that are good and that no earlier row said already."""
    for row in chunk.rows:
        try:
            cells = text_cells(row, columns)
            says = kind.read(cells)
            if not _repeats(row.number, kind.key(says), hash(tuple(cells.values())), seen):
                yield Numbered(row.number, says)
        except InvalidInput as error:
            faults[row.number] = str(error)


def _repeats(number: int, key: str, cells: int, seen: _Seen) -> bool:
    """Whether an earlier row said the same; InvalidInput when it said something else of the same thing."""
    first, said = seen.setdefault(key, (number, cells))
    if said != cells:
        raise InvalidInput(f"line {first} says something else of {key}: leave one of the two")
    return first != number


def _count(result: FileImport, path: Path, chunk: Chunk, stored: Stored, faults: dict[int, str]) -> None:
    result.added += stored.added
    result.changed += stored.changed
    result.repriced += stored.repriced
    result.unchanged += len(chunk.rows) - len(faults) - stored.added - stored.changed
    result.faults += [f"{path}:{number}: {faults[number]}" for number in sorted(faults)]


def find_columns(path: Path, names: Sequence[str], needed: Sequence[str], is_known: Callable[[str], bool]) -> list[str]:
    """Those of a file's columns that are read; InvalidInput when a needed one is missing or one comes twice."""
    read = [name for name in names if is_known(name)]
    if twice := [name for name, times in Counter(read).items() if times > 1]:
        raise InvalidInput(f"{path} has the column {twice[0]} twice: leave one of the two")
    if missing := [name for name in needed if name not in read]:
        raise InvalidInput(f"{path} has no column {', '.join(missing)}: it needs {','.join(needed)}")
    return read
