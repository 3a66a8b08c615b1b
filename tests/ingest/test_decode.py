"""What messages become: each bad one gets its one clear sentence, and the rest of it is stored."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.nouns import Device, Metric, MetricKind
from devices.wire import SEQ_MAX
from ingest.formats.shipped import FORMATS
from ingest.nouns import Decoded, Delivery, Lane, Limits, Registry
from millpond.kernel.ids import DeviceId, MetricId, Serial

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))


def _metric(metric_id: int, name: str, kind: MetricKind, unit: str, states: list[str] | None = None) -> Metric:
    most = 100.0 if unit == "pct" else 200_000.0
    return Metric(MetricId(metric_id), "air", name, kind, unit, 0.0, most, states)


REGISTRY = Registry(
    {"S1": Device(DeviceId(1), Serial("S1"), "air", "", None, NOW, NOW)},
    {
        "air": {
            "filter_life_pct": _metric(1, "filter_life_pct", MetricKind.NUMBER, "pct"),
            "filter_used_h": _metric(2, "filter_used_h", MetricKind.NUMBER, "h"),
            "power": _metric(3, "power", MetricKind.BOOLEAN, ""),
            "mode": _metric(4, "mode", MetricKind.STATE, "", ["auto", "sleep"]),
            "tag": _metric(5, "tag", MetricKind.STATE, ""),
        }
    },
)


def decode(payload: Any, topic: str = "millpond/v1/S1/telemetry", at: datetime = NOW) -> Decoded:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    [decoded] = FORMATS.decode(Delivery(topic, raw, at, Lane.LIVE, 1, 1, 1), {"millpond-v1": REGISTRY}, LIMITS)
    return decoded


def test_one_sample_becomes_a_reading_a_metric() -> None:
    decoded = decode({"boot": "b", "seq": 41, "ts": 1771243200000, "metrics": {"filter_life_pct": 64, "power": True}})
    assert [(r.reading.metric_id, r.reading.value) for r in decoded.readings] == [(1, 64.0), (3, 1.0)]
    assert {r.reading.measured_at for r in decoded.readings} == {datetime(2026, 2, 16, 12, tzinfo=UTC)}
    assert [key.seq for key in decoded.seqs] == [41]
    assert decoded.rejections == []


def test_times_with_an_offset_are_utc_inside() -> None:
    decoded = decode({"samples": [{"ts": "2026-02-16T09:00:00+09:00", "metrics": {"filter_life_pct": 1}}]})
    assert decoded.readings[0].reading.measured_at == datetime(2026, 2, 16, 0, tzinfo=UTC)


BAD_METRICS = [
    ({"filter_life_pct": 101}, "out_of_range", "filter_life_pct is 101 pct, it can be 0 to 100"),
    ({"filter_life_pct": -1}, "out_of_range", "filter_life_pct is -1 pct, it can be 0 to 100"),
    ({"filter_life_pct": True}, "wrong_kind", "filter_life_pct is not a number"),
    ({"filter_life_pct": "64"}, "wrong_kind", "filter_life_pct is not a number"),
    ({"filter_life_pct": None}, "wrong_kind", "filter_life_pct is not a number"),
    ({"filter_life_pct": 10**400}, "out_of_range", "filter_life_pct is larger than any number we store"),
    ({"power": 1}, "wrong_kind", "power is not true or false"),
    ({"mode": "turbo"}, "out_of_range", "mode is 'turbo', it can be auto, sleep"),
    ({"tag": "a\x00b"}, "out_of_range", "tag is not 1 to 64 characters without NUL"),
    ({"tag": "x" * 65}, "out_of_range", "tag is not 1 to 64 characters without NUL"),
    ({"humidity_pct": 40}, "unknown_metric", "air has no metric 'humidity_pct'"),
    ({"filter_used_min": 40}, "wrong_unit", "air has filter_used in h (filter_used_h), not in min"),
    ({"filter_used_h": {"value": 3, "unit": "min"}}, "wrong_unit", "filter_used_h is in 'min', its unit is 'h'"),
]


@pytest.mark.parametrize(("bad", "code", "sentence"), BAD_METRICS)
def test_a_bad_metric_is_rejected_and_the_rest_is_stored(bad: dict[str, Any], code: str, sentence: str) -> None:
    decoded = decode({"boot": "b", "seq": 7, "ts": 1771243200000, "metrics": bad | {"filter_life_pct.": 0} | bad})
    assert (decoded.rejections[0].code, decoded.rejections[0].reason) == (code, sentence)
    good = {"samples": [{"seq": 7, "metrics": bad}, {"seq": 8, "metrics": {"filter_used_h": 5}}], "boot": "b"}
    decoded = decode(good)
    assert [r.reading.value for r in decoded.readings] == [5.0]
    assert [key.seq for key in decoded.seqs] == [7, 8]


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_costs_only_its_metric(literal: str) -> None:
    decoded = decode(f'{{"metrics":{{"filter_life_pct":{literal},"filter_used_h":12}}}}'.encode())
    assert [r.code for r in decoded.rejections] == ["not_finite"]
    assert [r.reading.value for r in decoded.readings] == [12.0]


BAD_MESSAGES = [
    (b'{"metrics":', "malformed", "the payload is not JSON"),
    (b"\xff\xfe", "malformed", "the payload is not JSON"),
    (b"[1,2]", "malformed", "the payload is a list, not an object"),
    (b"{}", "malformed", "neither metrics nor samples is there"),
    (b'{"samples":[]}', "malformed", "samples"),
    (b'{"boot":"","metrics":{"power":true}}', "malformed", "boot"),
    (b'{"serial":"S2","metrics":{"power":true}}', "serial_mismatch", "the payload says serial 'S2'"),
    (b" " * 1_048_576, "too_large", "the payload has 1,048,576 bytes, 262,144 are allowed"),
    (b"[" * 100_000, "malformed", "the payload is not JSON"),
]


@pytest.mark.parametrize(("payload", "code", "sentence"), BAD_MESSAGES, ids=lambda value: repr(value)[:24])
def test_a_bad_message_is_one_rejection(payload: bytes, code: str, sentence: str) -> None:
    decoded = decode(payload)
    assert decoded.items == 1
    assert decoded.rejections[0].code == code
    assert sentence in decoded.rejections[0].reason


def test_an_unknown_serial_is_one_rejection_whose_numbers_are_still_accounted_for() -> None:
    decoded = decode({"boot": "b", "seq": 3, "metrics": {"power": True}}, topic="millpond/v1/S9/telemetry")
    assert [(r.code, r.reason) for r in decoded.rejections] == [("unknown_serial", "serial S9 is not registered")]
    assert [key.seq for key in decoded.seqs] == [3]


BAD_TIMES = [
    ("2026-02-16T09:00:00", "has no offset from UTC"),
    ("yesterday", "is neither epoch milliseconds nor RFC 3339"),
    (True, "is neither epoch milliseconds nor RFC 3339"),
]


@pytest.mark.parametrize(("ts", "sentence"), BAD_TIMES)
def test_a_bad_time_rejects_its_sample_alone(ts: Any, sentence: str) -> None:
    payload = {
        "boot": "b",
        "samples": [
            {"seq": 1, "ts": ts, "metrics": {"power": True}},
            {"seq": 2, "ts": 1771243200000, "metrics": {"power": True}},
        ],
    }
    decoded = decode(payload)
    assert [(r.code, r.item) for r in decoded.rejections] == [("bad_time", "1")]
    assert sentence in decoded.rejections[0].reason
    assert len(decoded.readings) == 1


@pytest.mark.parametrize("ts", [None, 0, 4_102_444_800_000, 10**30, 1771234567, "1970-01-01T00:00:00Z"])
def test_an_absent_or_implausible_time_becomes_the_receive_time(ts: Any) -> None:
    sample = {"metrics": {"power": True}} | ({} if ts is None else {"ts": ts})
    reading = decode({"samples": [sample, sample]}).readings
    assert [r.reading.corrected for r in reading] == [True, True]
    assert [r.reading.measured_at - NOW for r in reading] == [timedelta(0), timedelta(microseconds=1)]


@pytest.mark.parametrize("seq", [-1, SEQ_MAX + 1, 1.5, "x7", "", "-1", True, [7], 2.0**64])
def test_a_sequence_number_that_is_none_rejects_its_sample(seq: Any) -> None:
    decoded = decode({"boot": "b", "seq": seq, "metrics": {"power": True}})
    assert [r.code for r in decoded.rejections] == ["malformed"]
    assert decoded.seqs == []


def test_the_largest_sequence_number_is_one() -> None:
    assert [k.seq for k in decode({"boot": "b", "seq": SEQ_MAX, "metrics": {"power": True}}).seqs] == [SEQ_MAX]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
def test_no_message_can_make_the_decoder_fail_or_fall_silent(payload: bytes) -> None:
    for channel in ("telemetry", "backfill", "status", "command/x/result"):
        decoded = decode(payload, topic=f"millpond/v1/S1/{channel}")
        assert all(r.code != "undecodable" for r in decoded.rejections)
        if channel in ("telemetry", "backfill"):
            assert decoded.items >= 1 or not payload, "only of an empty message there is nothing to keep"


@given(st.dictionaries(st.sampled_from(["filter_life_pct", "power", "mode", "odd"]), json_values, min_size=1))
def test_every_metric_of_a_sample_has_exactly_one_outcome(metrics: dict[str, Any]) -> None:
    decoded = decode(json.dumps({"boot": "b", "seq": 1, "metrics": metrics}).encode())
    assert decoded.items == len(metrics)
