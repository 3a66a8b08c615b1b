"""What was refused is found, looked at, mended and stored under the time at which it came."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.registry import register_device
from ingest.nouns import Delivery, Lane, Limits, Tally
from ingest.storing.batch import store_batch
from ingest.storing.retry import RetrySummary, retry_quarantine
from ingest.storing.retry_store import Chosen
from ingest.storing.terms import Terms
from ingest.workbench.dump import dump_rows, find_break
from ingest.workbench.mending import mend_message, read_message, require_message, retry_one
from ingest.workbench.nouns import Filter, Mended
from ingest.workbench.store import (
    select_edits,
    select_items_of_message,
    select_refused_groups,
    select_refused_items,
    select_refused_lately,
)
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
TERMS = Terms(Limits(4_096, timedelta(days=365), timedelta(minutes=5)))
S = "AIR-1"


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    for serial, model in ((S, "reed-air-2"), ("PCT-1", "generic-purifier-pct")):
        register_device(conn, serial=serial, model=model, installed_at=NOW - timedelta(days=9), at=NOW)


def sample(seq: int, **metrics: Any) -> dict[str, Any]:
    return {"boot": "b", "seq": seq, "ts": int(NOW.timestamp() * 1000) - seq * 60_000, "metrics": metrics}


def send(conn: WriteConnection, payload: Any, serial: str = S, at: datetime = NOW) -> None:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    delivery = Delivery(f"millpond/v1/{serial}/telemetry", raw, at, Lane.LIVE, 1, 1, 1)
    store_batch(conn, [delivery], TERMS.limits, consumer="test", at=at)


def newest(conn: WriteConnection) -> int:
    return select_refused_items(conn, limit=1)[0].quarantine_id


def mend(conn: WriteConnection, payload: Any, number: int | None = None, **more: Any) -> Mended:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    number = newest(conn) if number is None else number
    return mend_message(conn, number, TERMS, payload=raw, at=LATER, by="operator:o", **more)


def values(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select value, received_at from reading order by value").fetchall()


@pytest.mark.parametrize(
    ("chosen", "items"),
    [
        (Filter(), {"1/made_up", "2/made_up", "3/filter_life_pct"}),
        (Filter(code="out_of_range"), {"3/filter_life_pct"}),
        (Filter(model="reed-air-2"), {"1/made_up", "3/filter_life_pct"}),
        (Filter(serial="PCT-1"), {"2/made_up"}),
        (Filter(topic="millpond/v1/PCT"), {"2/made_up"}),
        (Filter(since=NOW + timedelta(minutes=2)), {"3/filter_life_pct"}),
        (Filter(until=NOW + timedelta(minutes=1)), {"1/made_up"}),
        (Filter(code="out_of_range", serial="PCT-1"), set()),
    ],
)
def test_what_was_refused_is_found_by_what_is_known_of_it(
    conn: WriteConnection, chosen: Filter, items: set[str]
) -> None:
    send(conn, sample(1, made_up=1))
    send(conn, sample(2, made_up=1), "PCT-1", NOW + timedelta(minutes=1))
    send(conn, sample(3, filter_life_pct=900), S, NOW + timedelta(minutes=2))
    assert {one.item for one in select_refused_items(conn, chosen)} == items


def test_it_is_grouped_by_reason_and_model(conn: WriteConnection) -> None:
    send(conn, sample(1, made_up=1, invented=2))
    send(conn, sample(2, made_up=1), "PCT-1")
    send(conn, b"{", "NOBODY")
    groups = {(one.code, one.model): (one.messages, one.items, one.serials) for one in select_refused_groups(conn)}
    assert groups == {
        ("unknown_metric", "reed-air-2"): (1, 2, 1),
        ("unknown_metric", "generic-purifier-pct"): (1, 1, 1),
        ("unknown_serial", ""): (1, 1, 1),
    }


@pytest.mark.parametrize(
    ("payload", "broken"),
    [
        (b'{"a": 1}', None),
        (b'{"a": 1,}', 8),
        (b'{"a": nan}', 6),
        (b'{"a": "\xff"}', 7),
        (b'{"a": 1', 7),
        (b"", 0),
        ("{'ü': 1}".encode(), 1),
        ('{"ü": x}'.encode(), 7),
        (b"[" * 100_000, None),
    ],
)
def test_the_place_where_bytes_break_is_shown(payload: bytes, broken: int | None) -> None:
    assert find_break(payload) == broken
    if broken is not None:
        marked = [row.offset + row.broken for row in dump_rows(payload, broken) if row.broken is not None]
        assert marked == [broken]


def test_a_long_message_is_shown_around_the_place_where_it_breaks() -> None:
    payload = b'{"a": "' + b"x" * 5_000 + b'", }' + b" " * 5_000
    rows = dump_rows(payload, find_break(payload))
    assert len(rows) == 32
    assert [row for row in rows if row.broken is not None]
    assert rows[0].offset > 4_000


def test_a_message_is_read_as_it_would_be_now(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900, filter_used_h=3))
    read = read_message(conn, require_message(conn, newest(conn)), TERMS)
    assert [(one.metric, one.value, one.unit, one.code) for one in read] == [
        ("filter_used_h", 3, "h", ""),
        ("", None, "", "out_of_range"),
    ]
    with pytest.raises(NotFound, match="number 999"):
        require_message(conn, 999)


def test_a_mended_message_is_stored_under_the_time_at_which_it_came(conn: WriteConnection) -> None:
    send(conn, b'{"boot":"b","seq":1,"metrics":{"filter_life_pct":6x}}')
    mended = mend(conn, {"boot": "b", "seq": 1, "metrics": {"filter_life_pct": 63}}, note="a misprint")
    assert (mended.tally, mended.left) == (Tally(stored=1), 0)
    assert values(conn) == [(63, NOW)]
    assert select_refused_items(conn) == []
    message = require_message(conn, select_refused_items(conn, Filter(stored=True))[0].quarantine_id)
    [edit] = select_edits(conn, message)
    assert (edit.edited_by, edit.edited_at, edit.note) == ("operator:o", LATER, "a misprint")
    assert message.payload.endswith(b"6x}}"), "what came stays as it came"


def test_what_could_be_read_of_it_before_is_a_duplicate_and_the_rest_is_stored(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900, filter_used_h=3))
    mended = mend(conn, sample(1, filter_life_pct=90, filter_used_h=3))
    assert (mended.tally, mended.left) == (Tally(stored=1, duplicate=1), 0)
    assert values(conn) == [(3, NOW), (90, NOW)]


def test_to_mend_it_twice_to_the_same_changes_nothing(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900))
    number = newest(conn)
    assert mend(conn, sample(1, filter_life_pct=90), number).tally == Tally(stored=1)
    assert mend(conn, sample(1, filter_life_pct=90), number).tally == Tally(duplicate=1)
    assert len(select_edits(conn, require_message(conn, number))) == 1


def test_what_had_neither_number_nor_time_is_not_stored_twice_by_mending_its_neighbour(conn: WriteConnection) -> None:
    send(conn, {"metrics": {"filter_life_pct": 900, "filter_used_h": 3}})
    assert mend(conn, {"metrics": {"filter_life_pct": 90, "filter_used_h": 3}}).tally == Tally(stored=1)
    assert [value for value, _ in values(conn)] == [3, 90]


def test_nor_by_a_retry(conn: WriteConnection) -> None:
    send(conn, {"metrics": {"filter_life_pct": 900, "filter_used_h": 3}})
    conn.execute("update metric set max_value = 1000 where name = 'filter_life_pct'")
    summary = retry_quarantine(conn, Chosen("out_of_range"), TERMS, at=LATER)
    assert summary == RetrySummary(1, stored=1, tally=Tally(stored=1))
    assert [value for value, _ in values(conn)] == [3, 900]


def test_a_dry_run_says_what_would_become_of_it(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900))
    mended = mend(conn, sample(1, filter_life_pct=90, made_up=1), dry_run=True)
    assert (mended.tally, mended.left) == (Tally(stored=1, quarantined=1), 0)
    assert {one.metric or one.code for one in mended.read} == {"filter_life_pct", "unknown_metric"}
    assert values(conn) == []
    assert len(select_refused_items(conn)) == 1


def test_a_wrong_topic_is_mended_too(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=9), "AIR-l")
    with pytest.raises(InvalidInput, match="AIR-2 is not registered"):
        mend(conn, sample(1, filter_life_pct=9), topic="millpond/v1/AIR-2/telemetry")
    assert mend(conn, sample(1, filter_life_pct=9), topic="millpond/v1/AIR-1/telemetry").tally == Tally(stored=1)
    assert select_refused_items(conn) == []


def test_what_is_too_large_or_of_a_file_is_not_mended(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900))
    with pytest.raises(InvalidInput, match="4,096 are allowed"):
        mend(conn, b" " * 5_000)
    conn.execute("update quarantined_message set topic = 'import:a.csv'")
    with pytest.raises(InvalidInput, match="import it again"):
        mend(conn, b"{}")


def test_one_message_is_retried_whatever_it_was_refused_for(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900, power=2))
    conn.execute("update metric set max_value = 1000 where name = 'filter_life_pct'")
    summary = retry_one(conn, newest(conn), TERMS, at=LATER, dry_run=False)
    assert summary == RetrySummary(1, refused=1, tally=Tally(stored=1, duplicate=1))
    message = require_message(conn, newest(conn))
    assert [(one.item, one.stored_at is None) for one in select_items_of_message(conn, message)] == [
        ("1/filter_life_pct", False),
        ("1/power", True),
    ]


def test_all_of_a_reason_and_a_model_are_retried_and_others_are_left(conn: WriteConnection) -> None:
    send(conn, sample(1, filter_life_pct=900))
    send(conn, sample(1, filter_life_pct=900), "PCT-1")
    conn.execute("update metric set max_value = 1000 where name = 'filter_life_pct'")
    chosen = Chosen("out_of_range", model="generic-purifier-pct")
    assert retry_quarantine(conn, chosen, TERMS, at=LATER).stored == 1
    assert [one.serial for one in select_refused_items(conn)] == [S]
    assert retry_quarantine(conn, Chosen("out_of_range", serial=S), TERMS, at=LATER).stored == 1


def test_how_much_was_refused_lately_is_counted_by_the_minute(conn: WriteConnection) -> None:
    for minutes in (0, 30, 90):
        send(conn, sample(minutes, made_up=1), at=NOW + timedelta(minutes=minutes))
    assert select_refused_lately(conn, NOW + timedelta(minutes=20)) == 2
