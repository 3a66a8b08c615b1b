"""Messages that need no care are read by column, and come to the same as if they had been read with all care."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.wire import SEQ_MAX
from ingest.formats.format import Formats
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.formats.millpond_v1.plain import plain_serial, read_plain
from ingest.formats.shapes import Shapes
from ingest.nouns import Decoded, Delivery, Lane, SeqKey
from ingest.plain import KnownDevice, PlainMessages
from tests.ingest.test_any_message import payloads
from tests.ingest.test_decode import LIMITS, NOW, REGISTRY

TS = 1771243200000
S = "S1"
PLAIN, CAREFUL = Formats(MILLPOND_V1), Formats(replace(MILLPOND_V1, plain=None))
AIR = REGISTRY.metrics["air"]


def delivery(payload: Any, channel: str = "telemetry", serial: str = S, at: datetime = NOW) -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{serial}/{channel}", raw, at, Lane.LIVE, 1, 1, 1)


def sample(seq: int = 1, ts: Any = TS, **metrics: Any) -> dict[str, Any]:
    return {"boot": "b", "seq": seq, "ts": ts, "metrics": metrics or {"filter_life_pct": 64.5}}


def read(*deliveries: Delivery) -> PlainMessages:
    devices = {S: KnownDevice(1, "air")}
    return read_plain(
        deliveries, [plain_serial(d.topic) for d in deliveries], devices, Shapes(REGISTRY.metrics), LIMITS
    )


def size_of(shapes: Shapes) -> int:
    """How many bytes it is when it is written down whole: all that it remembers."""
    return len(pickle.dumps(shapes))


def decode(one: Delivery) -> Decoded:
    [decoded] = CAREFUL.decode(one, {MILLPOND_V1.name: REGISTRY}, LIMITS)
    return decoded


def keys(plain: PlainMessages) -> list[SeqKey]:
    boots = [plain.boots[plain.boot_of[message]] for message in plain.message_of.tolist()]
    return [SeqKey(serial, boot, seq) for (serial, boot), seq in zip(boots, plain.seqs.tolist(), strict=True)]


USUAL = [
    sample(),
    sample(0, "2026-02-16T21:00:00.25+09:00"),
    sample(2**62, filter_life_pct=64, power=True, mode="auto", tag="닫힘"),
    sample() | {"serial": S},
    {
        "boot": "b",
        "samples": [{"seq": n, "ts": TS + n, "metrics": {"power": n > 1, "filter_used_h": n}} for n in range(3)],
    },
]


@pytest.mark.parametrize("payload", USUAL)
@pytest.mark.parametrize("channel", ["telemetry", "backfill"])
def test_what_is_usual_is_read_by_column(payload: dict[str, Any], channel: str) -> None:
    assert_same(delivery(payload, channel))
    assert len(read(delivery(payload, channel))) == 1


UNUSUAL = [
    sample(ts=TS + 86_400_000),
    sample(ts=None),
    sample(ts=float(TS) + 0.5),
    sample(ts="2026-02-16T21:00:00"),
    sample(seq=SEQ_MAX),
    sample(seq=-1),
    sample() | {"boot": ""},
    sample() | {"boot": "a" * 65},
    sample() | {"serial": "S2"},
    sample() | {"serial": None},
    sample() | {"rssi": -60},
    sample() | {"samples": None},
    sample() | {"samples": [sample()]},
    sample(filter_life_pct=101),
    sample(filter_life_pct=-0.001),
    sample(filter_life_pct=10**400),
    sample(filter_life_pct=True),
    sample(filter_life_pct="64"),
    sample(filter_life_pct={"value": 64, "unit": "pct"}),
    sample(filter_life_pct=None),
    sample(power=1),
    sample(mode="fast"),
    sample(tag=""),
    sample(tag="\x00"),
    sample(unknown=1),
    {"boot": "b", "seq": 1, "ts": TS, "metrics": {}},
    {"boot": "b", "samples": []},
    {"seq": 1, "ts": TS, "metrics": {"power": True}},
    b"",
    b"{",
    b"\xef\xbb\xbf" + json.dumps(sample()).encode(),
    json.dumps(sample()).encode() + b"\0",
]


@pytest.mark.parametrize("payload", UNUSUAL)
def test_what_may_need_care_is_left_alone_and_costs_its_neighbours_nothing(payload: Any) -> None:
    good = [delivery(sample(1)), delivery(sample(2))]
    plain = read(good[0], delivery(payload), good[1])
    assert (list(plain.deliveries), plain.places.tolist(), plain.seqs.tolist()) == (good, [0, 2], [1, 2])
    assert plain.readings.readings() == read(*good).readings.readings()


def test_names_that_a_message_makes_up_are_not_remembered() -> None:
    shapes = Shapes(REGISTRY.metrics)
    begun = size_of(shapes)
    for number in range(20):
        assert shapes.find("air", {f"{number}-{'x' * 10_000}": 1.0}) is None
        assert shapes.find("air", {f"{number}-{name}": 1.0 for name in range(1_000)}) is None
    assert size_of(shapes) == begun


def test_status_results_and_unknown_devices_are_left_alone() -> None:
    topics = ["status", "command/telemetry", "command/c1/result", "telemetry/backfill"]
    assert len(read(*(delivery(sample(), topic) for topic in topics), delivery(sample(), serial="S2"))) == 0


def assert_same(one: Delivery) -> None:
    """What is read by column is what careful reading makes of it."""
    plain = read(one)
    if len(plain):
        decoded = decode(one)
        assert plain.readings.readings() == [reading.reading for reading in decoded.readings]
        assert (decoded.rejections, decoded.no_news, decoded.numbers_lost) == ([], 0, False)
        assert keys(plain) == decoded.seqs
        assert [keys(plain)[place] for place in plain.sample_of.tolist()] == [r.sample for r in decoded.readings]


names = st.sampled_from([*AIR, "co2"])
values = (
    st.sampled_from([0, 1, 64.5, 100, 101, -1, True, "auto", "x", None, 2**60, 1e-320]) | st.floats() | st.integers()
)
stamps = st.sampled_from([TS, TS + 1, "2026-02-16T11:00:00Z", "2026-02-16T11:00:60Z", 0, "now"]) | st.integers(
    TS - 400 * 86_400_000, TS + 600_000
)


@st.composite
def nearly_usual(draw: Callable[..., Any]) -> bytes:
    """Our own form, with at most a few things that are odd, and at times a byte that was damaged."""
    one = st.builds(
        lambda seq, ts, metrics: {"seq": seq, "ts": ts, "metrics": metrics},
        st.integers(0, 5) | st.sampled_from([SEQ_MAX, 2**63 - 1, 2**63 - 2, 2.0, "3"]),
        stamps,
        st.dictionaries(names, values, min_size=1, max_size=4),
    )
    content = {"boot": draw(st.sampled_from(["b", "c", "\x7f", "é" * 64, "\u2028"]))}
    content |= draw(one) if draw(st.booleans()) else {"samples": draw(st.lists(one, max_size=4))}
    content |= draw(st.sampled_from([{}, {}, {"serial": S}, {"uptime_s": 5}, {"seq": 1}]))
    raw = json.dumps(content, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(raw)))
    return raw if draw(st.booleans()) else raw[:at] + draw(st.binary(max_size=2)) + raw[at + 1 :]


@given(nearly_usual() | payloads())
@settings(max_examples=600)
@example(b'{"boot":"b","seq":1,"ts":1771243200000,"metrics":{"power":true,"power":false}}')
@example(b'{"boot":"b","seq":-0,"seq":1e0,"ts":1771243200000.0,"metrics":{"filter_life_pct":-0}}')
def test_both_ways_of_reading_come_to_the_same(raw: bytes) -> None:
    assert_same(delivery(raw))
