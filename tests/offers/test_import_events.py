"""A file of events ends in the same rows as the same calls by HTTP; refused rows have their number."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from attribution.order_rows import select_orders
from events.nouns import Scope, Source, SourceKind
from events.plan.files import load_plan
from events.sources import register_source
from events.terms import Terms
from events.wire import decode_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from offers.taking.files import EventsSummary, import_events
from offers.taking.take import take_events
from tests.events.calls import batch, track
from tests.people import AT

TERMS = Terms(load_plan())
ORDER = {"order_id": "W-1", "currency": "EUR", "products": [{"sku": "REED-SOUNDBAR-3", "price": 179.0, "quantity": 1}]}
CALLS: list[dict[str, Any]] = [
    track("m-1", "Product Viewed", {"sku": "0012", "price": 9.5, "position": 3, "featured": True}, login="ann"),
    track("m-2", "Lamp Rubbed", {"wish": '없음, "친구"'}),
    track("m-3", "Order Completed", ORDER, login="ann"),
    track("m-4", "Product Viewed", {"sku": "0012", "price": -1.0}, login="ben"),
    track("m-5", "Cart Viewed", login="ben") | {"context": {"page": {"path": "/cart"}, "locale": "ko"}},
]


def make_source(conn: WriteConnection, name: str) -> Source:
    return register_source(conn, name=name, kind=SourceKind.SERVER, scopes=[Scope.ORDERS], at=AT)


def rows_of(conn: WriteConnection, source: Source) -> list[Any]:
    """All that is stored of a source's events, by message id, without numbers of ours."""
    return conn.execute(
        "select message_id, call, name, happened_at, received_at, subject_id, anonymous_id, session_id, sku,"
        " properties, context from event where source_id = %s order by message_id",
        [source.source_id],
    ).fetchall()


def write(path: Path, name: str) -> Path:
    file = path / name
    if name.endswith(".ndjson"):
        file.write_text("\n\n".join(json.dumps(call, ensure_ascii=False) for call in CALLS))
        return file
    columns = ["event", "user_id", "anonymous_id", "timestamp", "message_id"]
    fields = ["event", "userId", "anonymousId", "timestamp", "messageId"]
    properties = ["sku", "price", "position", "featured", "properties.wish", "order_id", "currency", "products"]
    table: list[list[Any]] = [
        [call.get(field) for field in fields]
        + [call["properties"].get(name.removeprefix("properties.")) for name in properties]
        + [call.get("context", {}).get("page", {}).get("path"), call.get("context", {}).get("locale")]
        for call in CALLS
    ]
    names = [*columns, *properties, "context.page.path", "context.locale"]
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(zip(names, row)) for row in table]), file)  # noqa: B905  # rows are made above
        return file
    lines = [",".join(_cell(cell) for cell in row) for row in [names, *table]]
    file.write_text("\n".join(lines))
    return file


def _cell(cell: Any) -> str:
    text = "" if cell is None else cell if isinstance(cell, str) else json.dumps(cell)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def take_file(conn: WriteConnection, file: Path, source: Source, chunk_rows: int = 2) -> EventsSummary:
    return import_events(conn, file, source, TERMS, at=AT, chunk_rows=chunk_rows)


@pytest.mark.parametrize("name", ["events.ndjson", "events.csv", "events.parquet"])
def test_stream_and_batch_end_in_the_same_rows(conn: WriteConnection, tmp_path: Path, name: str) -> None:
    stream, files = make_source(conn, "Stream"), make_source(conn, "Files")
    take_events(conn, stream, decode_batch(batch(*CALLS), received_at=AT), TERMS, at=AT)
    summary = take_file(conn, write(tmp_path, name), files)
    assert (summary.stored, summary.repeated, summary.refused) == (4, 0, 1)
    assert rows_of(conn, files) == rows_of(conn, stream)
    assert len(select_orders(conn)) == 1
    kept = "select known_as, name, reason, detail, event, subject_id, times from event_quarantine where source_id = %s"
    assert conn.execute(kept, [files.source_id]).fetchall() == conn.execute(kept, [stream.source_id]).fetchall()


@pytest.mark.parametrize(("name", "number"), [("a.ndjson", 7), ("a.csv", 5), ("a.parquet", 4)])
def test_a_second_run_stores_nothing_and_names_the_same_row(
    conn: WriteConnection, tmp_path: Path, name: str, number: int
) -> None:
    files, file = make_source(conn, "Files"), write(tmp_path, name)
    take_file(conn, file, files)
    again = take_file(conn, file, files, chunk_rows=100)
    assert (again.stored, again.repeated) == (0, 4)
    assert again.named == [(number, "against_plan", "Product Viewed: price must be 0 or more")]
    assert conn.execute("select times from event_quarantine").fetchall() == [(2,)]


def test_a_row_without_a_message_id_is_known_by_what_it_says(conn: WriteConnection, tmp_path: Path) -> None:
    files, file = make_source(conn, "Files"), tmp_path / "a.csv"
    file.write_text("event,anonymous_id,sku\nCart Viewed,a,\nProduct Viewed,a,1\nProduct Viewed,a,2\n")
    assert take_file(conn, file, files).stored == 3
    file.write_text("event,anonymous_id,sku\nProduct Viewed,a,2\nProduct Viewed,a,3\n")
    summary = take_file(conn, file, files)
    assert (summary.stored, summary.repeated) == (1, 1)
    assert {sku for (sku,) in conn.execute("select sku from event where sku is not null")} == {"1", "2", "3"}


def test_bad_lines_are_told_by_number_and_harm_no_others(conn: WriteConnection, tmp_path: Path) -> None:
    files, file = make_source(conn, "Files"), tmp_path / "a.jsonl"
    good = json.dumps(track("g", "Cart Viewed")).encode()
    file.write_bytes(b'{"type":"track"\n' + good + b'\n[1]\n{"type":"track","event":"A"}\n\xff\n')
    summary = take_file(conn, file, files, chunk_rows=100)
    assert summary.stored == 1
    assert [(number, reason) for number, reason, _ in summary.named] == [
        (1, "not_json"),
        (3, "wrong_type"),
        (4, "nobody"),
        (5, "not_json"),
    ]
    table = tmp_path / "a.csv"
    table.write_bytes(b'event,anonymous_id\nCart Viewed,"a\nCart Viewed,a\nCart Viewed,a,b\n')
    broken = take_file(conn, table, files)
    assert (broken.stored, [number for number, _, _ in broken.named]) == (1, [2, 4])
    table.write_text("anonymous_id,sku\na,1\n")
    with pytest.raises(InvalidInput, match="no column event or type"):
        take_file(conn, table, files)
