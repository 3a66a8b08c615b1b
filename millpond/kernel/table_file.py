"""Rows of a file, in chunks: CSV line by line, Parquet row by row, each with its number and its original bytes.

A CSV row is one line. So an open quote costs its own line and not the rest of the file, and a bad row can be kept as
it was written.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from millpond.kernel.errors import ConfigurationError, InvalidInput

CHUNK_ROWS = 50_000
_HEADER_MAX_BYTES = 4096


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
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path, columns, size)
    return _read_csv(path, columns, size)


def _read_csv(path: Path, columns: Sequence[str], size: int) -> Iterator[Chunk]:
    of = path.stat().st_size
    with path.open("rb") as file:
        header = file.readline(_HEADER_MAX_BYTES)
        names = (_split(header.decode("utf-8-sig", "replace").strip()) if header else None) or []
        places = _find_columns(path, [name.strip() for name in names], columns)
        done = len(header)
        numbered = enumerate(file, start=2)
        while lines := list(islice(numbered, size)):
            done += sum(len(raw) for _, raw in lines)
            rows = [_parse_line(number, raw, places, len(names)) for number, raw in lines if raw.strip()]
            yield Chunk(rows, done, of)


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


def _read_parquet(path: Path, columns: Sequence[str], size: int) -> Iterator[Chunk]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ConfigurationError("reading Parquet needs pyarrow: pip install pyarrow") from error
    try:
        with ParquetFile(path) as file:
            _find_parquet_columns(path, file.schema_arrow.names, columns)
            number = 0
            for batch in file.iter_batches(batch_size=size, columns=list(columns)):
                cells = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
                rows = [_parquet_row(at, columns, values) for at, values in enumerate(cells, start=number + 1)]
                number += len(rows)
                yield Chunk(rows, number, file.metadata.num_rows)
    except ArrowException as error:
        raise InvalidInput(f"{path} cannot be read as Parquet: {' '.join(str(error).split())}") from error


def _find_parquet_columns(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in names]
    if missing:
        raise InvalidInput(f"{path} has no column {', '.join(missing)}: it needs {', '.join(columns)}")


def _parquet_row(number: int, columns: Sequence[str], values: tuple[Any, ...]) -> Row:
    return Row(number, json.dumps(dict(zip(columns, values, strict=True)), default=str).encode(), values)
