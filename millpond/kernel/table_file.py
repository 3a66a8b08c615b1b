"""Rows of a file, in chunks: CSV line by line, Parquet row by row, each with its number and its original bytes.

A CSV row is one line. So an open quote costs its own line and not the rest of the file, and a bad row can be kept as
it was written.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from millpond.kernel.errors import ConfigurationError, InvalidInput

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

CHUNK_ROWS = 50_000
_HEADER_MAX_BYTES = 65_536


class Row(NamedTuple):
    """One row. `cells` are in the order of the columns asked for, or one sentence on why there are none."""

    number: int
    original: bytes
    cells: tuple[Any, ...] | str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that follow each other; `done` of `of` bytes (CSV) or rows (Parquet) are read now."""

    rows: list[Row]
    done: int
    of: int


def read_chunks(path: Path, columns: Sequence[str], size: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """The rows of a CSV file, or of a Parquet file when its name ends so.

    Raises InvalidInput when the file has not these columns, ConfigurationError when Parquet cannot be read here.
    """
    return _read_parquet(path, columns, size) if _is_parquet(path) else _read_csv(path, columns, size)


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _read_csv(path: Path, columns: Sequence[str], size: int) -> Iterator[Chunk]:
    of = path.stat().st_size
    with path.open("rb") as file:
        header, names = _read_header(path, file)
        places = _find_columns(path, names, columns)
        done = len(header)
        numbered = enumerate(file, start=2)
        while lines := list(islice(numbered, size)):
            done += sum(len(raw) for _, raw in lines)
            rows = [_parse_line(number, raw, places, len(names)) for number, raw in lines if raw.strip()]
            yield Chunk(rows, done, of)


def read_names(path: Path) -> list[str]:
    """The names of the file's columns, in their order.

    Raises InvalidInput when there is no first line that could have them, ConfigurationError as `read_chunks` does.
    """
    if _is_parquet(path):
        with _open_parquet(path) as file:
            return list(file.schema_arrow.names)
    with path.open("rb") as file:
        return _read_header(path, file)[1]


def text_cells(row: Row, columns: Sequence[str]) -> dict[str, str]:
    """The row's cells as text without spaces around it, by column; an empty cell is "".

    Raises InvalidInput with the reason why the row has none, or for a NUL character, which no text in the database has.
    """
    if isinstance(row.cells, str):
        raise InvalidInput(row.cells)
    if any("\x00" in str(cell) for cell in row.cells):
        raise InvalidInput("the line has a NUL character")
    return dict(zip(columns, (_to_text(cell).strip() for cell in row.cells), strict=True))


def _to_text(cell: Any) -> str:
    """A Parquet file may have times, nulls, and whole numbers as fractions, where CSV has text."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else cell.isoformat() if isinstance(cell, datetime) else str(cell)


def _read_header(path: Path, file: BinaryIO) -> tuple[bytes, list[str]]:
    header = file.readline(_HEADER_MAX_BYTES)
    if len(header) == _HEADER_MAX_BYTES:
        raise InvalidInput(f"{path}: the first line has more than {_HEADER_MAX_BYTES:,} bytes: is it a CSV file?")
    names = _split(header.decode("utf-8-sig", "replace").strip()) or []
    return header, [name.strip() for name in names]


def _find_columns(path: Path, names: Sequence[str], columns: Sequence[str]) -> list[int]:
    missing = [column for column in columns if column not in names]
    if missing:
        raise InvalidInput(f"{path} has no column {', '.join(missing)}: its first line must be {','.join(columns)}")
    return [names.index(column) for column in columns]


def _parse_line(number: int, raw: bytes, places: Sequence[int], width: int) -> Row:
    line = raw.rstrip(b"\r\n")
    try:
        cells = _split(line.decode())
    except UnicodeDecodeError:
        return Row(number, line, "the line is not UTF-8")
    if cells is None:
        return Row(number, line, "the line has a quote that does not end")
    if len(cells) != width:
        return Row(number, line, f"the line has {len(cells)} columns, the first line has {width}")
    return Row(number, line, tuple([cells[place] for place in places]))


def _split(line: str) -> list[str] | None:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return None


@contextmanager
def _open_parquet(path: Path) -> "Iterator[ParquetFile]":
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ConfigurationError("reading Parquet needs pyarrow: pip install pyarrow") from error
    try:
        with ParquetFile(path) as file:
            yield file
    except ArrowException as error:
        raise InvalidInput(f"{path} cannot be read as Parquet: {' '.join(str(error).split())}") from error


def _read_parquet(path: Path, columns: Sequence[str], size: int) -> Iterator[Chunk]:
    with _open_parquet(path) as file:
        _find_parquet_columns(path, file.schema_arrow.names, columns)
        number = 0
        for batch in file.iter_batches(batch_size=size, columns=list(columns)):
            cells = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
            rows = [_parquet_row(at, columns, values) for at, values in enumerate(cells, start=number + 1)]
            number += len(rows)
            yield Chunk(rows, number, file.metadata.num_rows)


def _find_parquet_columns(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in names]
    if missing:
        raise InvalidInput(f"{path} has no column {', '.join(missing)}: it needs {', '.join(columns)}")


def _parquet_row(number: int, columns: Sequence[str], values: tuple[Any, ...]) -> Row:
    return Row(number, json.dumps(dict(zip(columns, values, strict=True)), default=str).encode(), values)
