"""What is kept of refused messages: once, with bounds, and counted to the last item."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.registry import register_device
from ingest.nouns import Delivery, Keeping, Lane, Limits, Tally
from ingest.storing import quarantine
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection
from tests.ingest.hub_format import BOTH

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
S = "AIR-1"


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def store(conn: WriteConnection, *payloads: Any, keeping: Keeping = Keeping(items=10)) -> Tally:
    raws = [p if isinstance(p, bytes) else json.dumps(p, separators=(",", ":")).encode() for p in payloads]
    deliveries = [Delivery(f"millpond/v1/{S}/telemetry", raw, NOW, Lane.LIVE, 1, 1, 1) for raw in raws]
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=NOW, keeping=keeping).tally


def rows(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select item, code, items from quarantine order by quarantine_id").fetchall()


def sample(seq: int, **metrics: float) -> dict[str, Any]:
    return {"seq": seq, "ts": int(NOW.timestamp() * 1000) - seq * 60_000, "metrics": metrics}


def unknown(metrics: int) -> dict[str, Any]:
    return {"metrics": {f"{number:x}": 1 for number in range(metrics)}}


def test_of_many_bad_metrics_the_first_have_a_row_each_and_one_row_counts_the_rest(conn: WriteConnection) -> None:
    assert store(conn, unknown(28_000)) == Tally(quarantined=28_000)
    kept = rows(conn)
    assert len(kept) == 11
    assert kept[-1] == ("more", "and_more", 27_990)
    assert conn.execute("select reason from quarantine where code = 'and_more'").fetchone() == (
        "and 27,990 more items: unknown_metric 27,990",
    )


def test_of_many_bad_samples_the_first_have_a_row_each_and_one_row_counts_the_rest(conn: WriteConnection) -> None:
    assert store(conn, {"samples": ["x"] * 10_000}) == Tally(quarantined=10_000)
    assert [items for _, _, items in rows(conn)] == [1] * 10 + [9_990]


def test_a_message_with_more_bad_items_than_are_listed_is_counted_to_the_last_also_when_it_comes_again(
    conn: WriteConnection,
) -> None:
    message = unknown(500) | {"boot": "b", "seq": 1}
    message["metrics"]["filter_life_pct"] = 64
    assert store(conn, message) == Tally(stored=1, quarantined=500)
    assert store(conn, message, message) == Tally(duplicate=1002)
    minute = conn.execute("select received, stored, duplicate, conflict, quarantined from ingest_minute").fetchone()
    assert minute == (1503, 1, 1002, 0, 500)
    assert conn.execute("select sum(items) from quarantine").fetchone() == (500,)


@pytest.mark.parametrize("metrics", [1_000, 4_000])
def test_a_message_has_one_digest_however_much_of_it_is_bad(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch, metrics: int
) -> None:
    made: list[bytes] = []
    digest_of = quarantine.digest_of

    def counted(source: str, payload: bytes) -> bytes:
        made.append(payload)
        return digest_of(source, payload)

    monkeypatch.setattr(quarantine, "digest_of", counted)
    store(conn, unknown(metrics), {"samples": ["x"] * metrics})
    assert len(made) == 2
    names: dict[str, object] = {f"{number}": {} for number in range(metrics)}
    raw = json.dumps({"at": 0, "devices": names}).encode()
    hub = Delivery("hub/h", raw, NOW, Lane.LIVE, 1, 1, 1)
    assert store_batch(conn, [hub], LIMITS, consumer="test", at=NOW, formats=BOTH).tally.quarantined == metrics
    assert len(made) == 3


def test_of_a_message_that_is_too_large_a_head_and_the_whole_size_are_kept(conn: WriteConnection) -> None:
    large, other = b"x" * 4_194_304, b"x" * 4_194_303 + b"y"
    keeping = Keeping(head_bytes=4_096)
    assert store(conn, large, keeping=keeping) == Tally(quarantined=1)
    assert store(conn, large, other, keeping=keeping) == Tally(quarantined=1, duplicate=1)
    kept = conn.execute("select octet_length(payload), size_bytes, digest from quarantined_message").fetchall()
    assert [row[:2] for row in kept] == [(4_096, 4_194_304)] * 2
    assert len({row[2] for row in kept}) == 2, "the digest is of all bytes, not of the head"


def test_a_bad_value_that_comes_again_in_a_message_cut_differently_is_a_duplicate(conn: WriteConnection) -> None:
    first, second, third = (sample(seq, filter_life_pct=101, pm25_ugm3=seq) for seq in (1, 2, 3))
    assert store(conn, {"boot": "b", "samples": [first, second]}) == Tally(stored=2, quarantined=2)
    assert store(conn, {"boot": "b", "samples": [second]}) == Tally(duplicate=2)
    assert store(conn, {"boot": "b", "samples": [second, third]}) == Tally(stored=1, quarantined=1, duplicate=2)
    assert rows(conn) == [(f"{seq}/filter_life_pct", "out_of_range", 1) for seq in (1, 2, 3)]


def test_a_message_of_which_all_is_known_leaves_no_bytes_behind(conn: WriteConnection) -> None:
    store(conn, {"boot": "b", "samples": [sample(1, filter_life_pct=101), sample(2, filter_life_pct=101)]})
    store(conn, {"boot": "b", "samples": [sample(1, filter_life_pct=101)]})
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (1,)


def test_the_same_number_of_another_boot_is_another_sample(conn: WriteConnection) -> None:
    for boot in ("b", "c"):
        assert store(conn, {"boot": boot, **sample(1, filter_life_pct=101)}) == Tally(quarantined=1)


def test_a_bad_value_without_a_number_is_known_by_its_message(conn: WriteConnection) -> None:
    one, other = {"metrics": {"filter_life_pct": 101}}, {"metrics": {"filter_life_pct": 102}}
    assert store(conn, one, other) == Tally(quarantined=2)
    assert store(conn, other, one) == Tally(duplicate=2)


def test_every_message_that_has_an_item_has_its_bytes(conn: WriteConnection) -> None:
    store(conn, b"{", unknown(3), {"boot": "b", **sample(1, filter_life_pct=101)})
    conn.execute("set constraints all immediate")
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (3,)
