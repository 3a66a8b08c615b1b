"""No message, whatever its bytes, makes the writer fail: it is stored, known, or kept aside, and it is counted."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from devices.registry import register_device
from devices.wire import SEQ_MAX
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.allowance import Allowances
from ingest.storing.batch import store_batch
from ingest.storing.refused import store_refused, try_innocent
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import load_settings

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(8_192, timedelta(days=365), timedelta(minutes=5))
S = "AIR-1"

# A surrogate, a NUL and an empty text are texts in JSON, and none in PostgreSQL.
texts = st.text(st.characters(exclude_categories=()), max_size=80) | st.sampled_from(
    ["", "\x00", "\ud83d", "b", "a" * 65]
)
numbers = (
    st.integers() | st.floats() | st.sampled_from([0, 1, -1, SEQ_MAX, SEQ_MAX + 1, 10**400, 2.0, 1771234567890, 1e300])
)
leaves = st.none() | st.booleans() | numbers | texts
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))
metric_names = st.sampled_from(["filter_life_pct", "filter_used_h", "pm25_ugm3", "power", "fan_level", "mode"]) | texts
times = st.sampled_from(["2026-02-16T09:00:00+09:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "now"])
samples = st.fixed_dictionaries(
    {},
    optional={
        "seq": numbers | anything,
        "ts": numbers | times | anything,
        "metrics": st.dictionaries(metric_names, leaves | anything, max_size=6) | anything,
    },
)
telemetry = st.fixed_dictionaries(
    {},
    optional={
        "boot": texts | anything,
        "serial": st.just(S) | anything,
        "samples": st.lists(samples | anything, max_size=5) | anything,
        "seq": numbers | anything,
        "ts": numbers | times | anything,
        "metrics": st.dictionaries(metric_names, leaves, max_size=6) | anything,
    },
)
statuses = st.fixed_dictionaries(
    {"state": st.sampled_from(["online", "offline"]) | anything, "session": texts | anything}
)
results = st.fixed_dictionaries(
    {"status": st.sampled_from(["gone", "resending"]) | anything, "boot": texts | anything},
    optional={"from": numbers | anything, "to": numbers | anything},
)


@st.composite
def payloads(draw: Callable[..., Any]) -> bytes:
    """Bytes, JSON of ours and not of ours, and JSON that was damaged on its way."""
    content = draw(telemetry | statuses | results | anything)
    raw = json.dumps(content).encode("utf-8", "surrogatepass")
    kind = draw(st.sampled_from(["whole", "cut", "changed", "unescaped", "bytes", "large"]))
    if kind == "bytes":
        return bytes(draw(st.binary(max_size=4_096)))
    if kind == "large":
        return raw + b" " * 9_000
    if kind == "unescaped":
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(raw)))
    cut = raw[:at] if kind == "cut" else raw
    return cut[:at] + draw(st.binary(max_size=3)) + cut[at + 1 :] if kind == "changed" else cut


channels = st.sampled_from(
    ["telemetry", "backfill", "status", "command/c1/result", "command/\ufffd/result", "ack", "x"]
)
topics = st.builds("millpond/v1/{}/{}".format, st.sampled_from([S, "GHOST", "a" * 65, "é"]), channels)
deliveries = st.builds(
    Delivery,
    topics,
    payloads(),
    st.just(NOW),
    st.sampled_from(Lane),
    st.just(1),
    st.just(1),
    st.just(1),
    retained=st.booleans(),
)
hard = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def platform(conn: WriteConnection) -> WriteConnection:
    """A database with one device."""
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)
    return conn


def made(payload: bytes, channel: str = "telemetry") -> Delivery:
    return Delivery(f"millpond/v1/{S}/{channel}", payload, NOW, Lane.LIVE, 1, 1, 1)


@hard
@given(st.lists(deliveries, min_size=1, max_size=6))
@example([made(b'{"boot":"b","seq":1,"ts":1' + b"0" * 400 + b',"metrics":{"power":true}}')])
@example([made(b'{"boot":"\\u0000","seq":18446744073709551615,"metrics":{"\\ud83d":1}}')])
@example([made(b'{"status":"gone","boot":"b","from":5,"to":1}', "command/c/result")])
@example([made(b"[" * 8_000), made(b'{"metrics":{"power":' + b"[" * 5_000)])
def test_any_batch_is_stored_and_every_item_has_one_outcome(platform: WriteConnection, batch: list[Delivery]) -> None:
    allowances = Allowances.from_settings(load_settings())
    decoded: list[int] = []
    with platform.transaction(force_rollback=True):
        first, again = (
            store_batch(
                platform, some, LIMITS, consumer="t", at=NOW, allowances=allowances, on_decoded=decoded.append
            ).tally
            for some in (batch, [replace(one, redelivered=True) for one in batch])
        )
        platform.execute("set constraints all immediate")
        assert (first.received, again.received) == tuple(decoded)
        assert (again.quarantined, again.conflict) == (0, 0), "what comes again is known"
        row = platform.execute("select coalesce(sum(items), 0) from quarantine").fetchone()
        assert row == (first.quarantined,)


@hard
@given(deliveries)
def test_any_message_can_be_set_aside_and_has_an_innocent_one_in_its_place(
    platform: WriteConnection, delivery: Delivery
) -> None:
    with platform.transaction(force_rollback=True):
        try_innocent(platform, delivery, LIMITS, consumer="t", at=NOW)
        assert platform.execute("select count(*) from quarantine").fetchone() == (0,)
        for bare in (False, True):
            refused = store_refused(platform, delivery, "a \x00 fault", LIMITS, consumer="t", at=NOW, bare=bare)
            assert refused.tally.received == 1
        platform.execute("set constraints all immediate")
