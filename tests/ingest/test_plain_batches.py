"""Whatever comes together, in whatever order: reading by column leaves behind what careful reading would."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from devices.registry import register_device
from ingest.formats.format import Formats
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.nouns import Delivery, Lane
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection
from tests.ingest.test_decode import LIMITS, NOW
from tests.ingest.test_plain import TS, delivery, sample

PLAIN, CAREFUL = Formats(MILLPOND_V1), Formats(replace(MILLPOND_V1, plain=None))
LEFT_BEHIND = {
    "reading": "device_id, metric_id, measured_at, value, state, received_at, corrected",
    "device_latest": "device_id, newest_at, received_at, metric_ids, measured_ats, values, states",
    "reading_conflict": "device_id, metric_id, measured_at, value, state, received_at",
    "sequence": "serial, boot, received, given_up, unread, last_seen_at, overflow_at",
    "watched_gap": "serial, boot, from_seq, to_seq, asks",
    "effective_time": "serial, boot, seq, effective_at",
    "clock_doubt": "device_id, samples, made_up_to",
    "live_name": "serial, kind, name, since, before, returned_at, shared_names, shared_returns",
    "quarantine": "digest, item, serial, code, reason, items",
    "ingest_minute": "messages, received, stored, duplicate, conflict, quarantined, dropped",
}


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    for serial in ("AIR-1", "AIR-2"):
        register_device(conn, serial=serial, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def everything(conn: WriteConnection) -> dict[str, list[str]]:
    """All that batches leave behind, by table."""
    looks = {
        table: sql.SQL("select {} from {}").format(sql.SQL(columns), sql.Identifier(table))
        for table, columns in LEFT_BEHIND.items()
    }
    rows = {table: conn.execute(look) for table, look in looks.items()}
    return {table: sorted(map(repr, found)) for table, found in rows.items()}


def make_delivery(
    serial: str, boot: str, seq: int, minute: int, pct: int, retained: bool, redelivered: bool, lane: Lane
) -> Delivery:
    values = {"filter_life_pct": pct, "power": seq > 1}
    payload = json.dumps({"boot": boot, "seq": seq, "ts": TS - minute * 60_000, "metrics": values}).encode()
    channel = "telemetry" if lane is Lane.LIVE else "backfill"
    return Delivery(f"millpond/v1/{serial}/{channel}", payload, NOW, lane, 1, 1, 1, 0.0, retained, redelivered)


usual = st.builds(
    make_delivery,
    st.sampled_from(["AIR-1", "AIR-2", "AIR-3"]),
    st.sampled_from("bcd"),
    st.integers(0, 9),
    st.integers(0, 9) | st.just(10**7),
    st.sampled_from([50, 50, 50, 51, 101]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Lane),
)
unusual = st.builds(
    lambda serial, payload, channel: delivery(payload, channel, serial),
    st.sampled_from(["AIR-1", "AIR-2"]),
    st.sampled_from([b"{", sample(3, 0), sample(1, None), {"metrics": {"power": True}}, sample(4) | {"seq": "4"}]),
    st.just("telemetry"),
) | st.builds(
    lambda boot, low, high: delivery(
        {"status": "gone", "boot": boot, "from": low, "to": high}, "command/c/result", "AIR-1"
    ),
    st.sampled_from("bc"),
    st.integers(0, 3),
    st.integers(2, 6),
)


@given(st.lists(st.lists(usual | unusual, max_size=8), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_of_reading_leave_the_same_behind(conn: WriteConnection, batches: list[list[Delivery]]) -> None:
    left: list[Any] = []
    for formats in (PLAIN, CAREFUL):
        with conn.transaction() as attempt:
            stored = [
                store_batch(conn, batch, LIMITS, consumer="t", at=NOW + timedelta(seconds=n), formats=formats)
                for n, batch in enumerate(batches)
            ]
            told = [(one.tally, sorted(map(repr, one.complete)), one.dropped) for one in stored]
            left.append((told, everything(conn)))
            raise psycopg.Rollback(attempt)
    assert left[0] == left[1]


@pytest.mark.parametrize("plain_first", [True, False])
def test_of_two_values_for_one_moment_the_first_is_stored_whichever_way_it_was_read(
    conn: WriteConnection, plain_first: bool
) -> None:
    careful, plain = sample(1) | {"extra": 1}, sample(2, filter_life_pct=20)
    order = (plain, careful) if plain_first else (careful, plain)
    batch = [delivery(one, serial="AIR-1") for one in order]
    stored = store_batch(conn, batch, LIMITS, consumer="t", at=NOW, formats=PLAIN)
    assert (stored.tally.stored, stored.tally.conflict) == (1, 1)
    assert conn.execute("select value from reading").fetchall() == [(20 if plain_first else 64.5,)]
