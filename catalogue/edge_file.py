"""Use case: a file of compatibility edges into the graph."""

from collections.abc import Sequence
from pathlib import Path

from catalogue.entries import EdgeEntry, find_sku_fault
from catalogue.graph import put_edges, select_known_skus
from catalogue.importing import FileImport, Numbered, Progress, RowKind, Stored, find_columns, import_rows
from catalogue.nouns import Relation
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.table_file import read_names
from millpond.kernel.text import find_fault

NEEDED = ("from", "to", "relation", "evidence")
_OPTIONAL = ("weight", "condition")
_TEXT_MAX = 500


def import_compatibility(
    conn: WriteConnection, path: Path, *, progress: Progress = lambda _done, _of: None
) -> FileImport:
    """Add or renew the edges of a CSV or Parquet file; a row says the whole edge (no weight is 1, no condition none).

    Raises InvalidInput for a file without the columns `NEEDED`.
    """
    names = read_names(path)
    columns = find_columns(path, names, NEEDED, lambda column: column in NEEDED + _OPTIONAL)

    def store(rows: Sequence[Numbered[EdgeEntry]]) -> Stored:
        known = select_known_skus(conn, {sku for row in rows for sku in (row.says.from_sku, row.says.to_sku)})
        refused = {row.number: fault for row in rows if (fault := _unknown(row.says, known))}
        put = put_edges(conn, [row.says for row in rows if row.number not in refused], imported=True)
        return Stored(put.added, put.changed, refused=refused)

    kind = RowKind(_read_row, lambda edge: f"{edge.from_sku} {edge.relation} {edge.to_sku}", store)
    return import_rows(conn, path, columns, kind, FileImport([n for n in names if n not in columns]), progress)


def _unknown(edge: EdgeEntry, known: frozenset[str]) -> str | None:
    """A sentence on the first end of the edge that is no product."""
    missing = [sku for sku in (edge.from_sku, edge.to_sku) if sku not in known]
    return f"product {missing[0]} is not known: import it first" if missing else None


def _read_row(cells: dict[str, str]) -> EdgeEntry:
    """The edge that the cells describe; InvalidInput with a sentence on the first that is wrong."""
    for column in ("from", "to"):
        if fault := find_sku_fault(cells[column]):
            raise InvalidInput(f"{column}: {fault}")
    if cells["from"] == cells["to"]:
        raise InvalidInput(f"an edge joins two products, this one joins {cells['from']} to itself")
    return EdgeEntry.model_validate(
        {
            "from": cells["from"],
            "to": cells["to"],
            "relation": _relation(cells["relation"]),
            "weight": _weight(cells.get("weight", "")),
            "condition": _text("condition", cells["condition"]) if cells.get("condition") else None,
            "evidence": _text("evidence", cells["evidence"]),
        }
    )


def _relation(text: str) -> Relation:
    if text not in set(Relation):
        raise InvalidInput(f"relation {text[:40]!r} is none of {', '.join(Relation)}")
    return Relation(text)


def _weight(text: str) -> float:
    try:
        weight = float(text or 1)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 1:
        raise InvalidInput(f"weight {text[:40]!r} is not a number from 0 to 1")
    return weight


def _text(column: str, text: str) -> str:
    if fault := find_fault(text):
        raise InvalidInput(f"{column}: {fault}")
    if len(text) > _TEXT_MAX:
        raise InvalidInput(f"{column} has {len(text):,} characters, {_TEXT_MAX} are the most")
    return text
