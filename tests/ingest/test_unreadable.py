"""Messages that are unreadable in part: that costs the part, what is left is stored, and nothing is misread."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.nouns import Device, Metric, MetricKind
from devices.salvage import salvage
from ingest.formats.shipped import FORMATS
from ingest.nouns import Decoded, Delivery, Lane, Limits, Registry
from millpond.kernel.ids import DeviceId, MetricId, Serial

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
TS = 1_771_243_200_000
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
METRICS = {
    name: Metric(MetricId(number), "air", name, kind, unit, 0.0, 200_000.0, None)
    for number, (name, kind, unit) in enumerate(
        [("pct", MetricKind.NUMBER, ""), ("used", MetricKind.NUMBER, "h"), ("tag", MetricKind.STATE, "")]
    )
}
REGISTRY = Registry({"S1": Device(DeviceId(1), Serial("S1"), "air", "", None, NOW, NOW)}, {"air": METRICS})


def decode(payload: bytes) -> Decoded:
    [decoded] = FORMATS.decode(
        Delivery("millpond/v1/S1/telemetry", payload, NOW, Lane.LIVE, 1, 1, 1), {"millpond-v1": REGISTRY}, LIMITS
    )
    return decoded


def read(decoded: Decoded) -> list[tuple[int | None, str, Any]]:
    """The readings, as (number, metric, value)."""
    names = list(METRICS)
    return [
        (r.sample.seq if r.sample else None, names[r.reading.metric_id], r.reading.state or r.reading.value)
        for r in decoded.readings
    ]


def numbers(decoded: Decoded) -> list[int]:
    return [key.seq for key in decoded.seqs]


ONE = b'{"boot":"b","seq":2,"ts":1771243200000,"metrics":{"used":12,%s}}'
VALUES = [
    (b'"pct":nan', "not_finite"),
    (b'"pct":-nan', "not_finite"),
    (b'"pct":inf', "not_finite"),
    (b'"pct":NaN', "not_finite"),
    (b'"pct":-Infinity', "not_finite"),
    (b'"pct":nan(ind)', "not_finite"),
    (b'"pct":', "unreadable"),
    (b'"pct":1.2.3', "unreadable"),
    (b'"pct":0x1F', "unreadable"),
    (b'"pct":012', "unreadable"),
    (b'"pct":1,5', "unreadable"),
    (b'"pct":5 5', "unreadable"),
    (b'"pct":\xff5', "unreadable"),
    (b'"pct":None', "unreadable"),
    (b'"tag":"a\xffb"', "unreadable"),
    (b'"tag":"\\ud83d"', "unreadable"),
    (b'"tag":"\xed\xa0\xbd"', "unreadable"),
    (b'"tag":"\\x"', "unreadable"),
    (b'"pct":' + b"9" * 5000, "unreadable"),
]


@pytest.mark.parametrize(("value", "code"), VALUES, ids=lambda value: repr(value)[:24])
def test_a_value_that_cannot_be_read_costs_itself_and_its_number_is_known(value: bytes, code: str) -> None:
    decoded = decode(ONE % value)
    assert read(decoded)[:1] == [(2, "used", 12.0)]
    assert numbers(decoded) == [2]
    assert code in {r.code for r in decoded.rejections}
    assert [value for _, name, value in read(decoded) if name != "used"] == []


SHAPES: list[tuple[bytes, list[int], list[int], bool]] = [
    # payload, numbers that are known, those of them that are read, whether there may be more
    (b'{"boot":"b","samples":[{"seq":1,"metrics":{"pct":1}},{"seq":2,"metrics":{"pct":2', [1, 2], [1], True),
    (b'{"boot":"b","samples":[{"seq":1,"metrics":{"pct":1}},{"seq":2', [1], [1], True),
    (b'{"boot":"b","samples":[{"seq":1,"metrics":{"pct":1},{"seq":2,"metrics":{"pct":2}}]}', [1, 2], [2], True),
    (b'{"boot":"b","samples":[{"seq":1,"metrics":{"pct":1}}{"seq":2,"metrics":{"pct":2}}]}', [1, 2], [1, 2], False),
    (b'{"boot":"b","samples":[{"seq":1,"metrics":{"pct":1]},{"seq":2,"metrics":{"pct":2}}]}', [1, 2], [2], True),
    (b'{"boot":"b","samples":[{"seq":1,"seq":9,"metrics":{"pct":1}},{"seq":2,"metrics":{"pct":2}}],}', [2], [2], True),
    (b'{"boot":"b","seq":1,"metrics":{"pct":1}}}}', [1], [1], False),
    (b'{"boot":"b","seq":1,"metrics":{"pct":1}} and more', [1], [1], False),
    (b'{"boot":"b","seq":1,"metrics":{"pct":1}}{"boot":"b","seq":2,"metrics":{"pct":2}}', [1], [1], True),
    (b'\x00\x01{"boot":"b","seq":1,"metrics":{"pct":1}}', [1], [1], False),
    (b'\xef\xbb\xbf{"boot":"b","seq":1,"metrics":{"pct":1}}\x00', [1], [1], False),
    (b'{"boot":"b","seq":1,"metrics":{"pct":1,"x":{"seq":9,"boot":"c"},"tag":nan}}', [1], [1], False),
    (b'{"boot":"b","seq":1,"metrics":{"pct":1},"ts":', [1], [], True),
    (b'{"boot":"b","seq":1,"metrics":{"pct":1,"used":5"}}', [1], [], True),
    (b'{"boot":"b","seq":12', [], [], True),
    (b'{"boot":"b","boot":"c","seq":1,"metrics":{"pct":1},}', [], [], True),
    (b'{"boot":"b\xff","seq":1,"metrics":{"pct":1}}', [], [], True),
    (b'{"boot":7,"seq":1,"metrics":{"pct":1}}', [], [], True),
    (b'{"boot":"","seq":1,"metrics":{"pct":1}}', [], [], True),
    (b'{"boot":"b","seq":1,"metrics":[1]}', [1], [], False),
    (b'{"boot":"b","seq":1}', [1], [], False),
    (b'{"boot":"b","seq":1,"serial":5,"metrics":{"pct":1}}', [1], [], False),
    (b'{"boot":"b","samples":{"seq":1,"metrics":{"pct":1}}}', [1], [1], False),
    (b'{"boot":"b","samples":[7,{"seq":2,"metrics":{"pct":1}}]}', [2], [2], True),
    (b'{"boot":"b","samples":"none"}', [], [], True),
    (b'{"boot":"b","seq":2.0,"metrics":{"pct":1}}', [2], [2], False),
    (b'{"boot":"b","seq":"2","metrics":{"pct":1}}', [2], [2], False),
    (b'{"boot":"b","seq":18446744073709551615,"metrics":{"pct":1}}', [2**64 - 1], [2**64 - 1], False),
    (b'{"boot":"b","seq":1.8446744073709552e19,"metrics":{"pct":1}}', [], [], True),
    (b"[" * 200_000, [], [], True),
    (b"", [], [], True),
    (b" ", [], [], True),
    (b"\x00\xff poison", [], [], True),
    (b'"boot" "seq":5', [], [], True),
]


@pytest.mark.parametrize(("payload", "known", "stored", "lost"), SHAPES, ids=lambda value: repr(value)[:60])
def test_what_of_a_message_can_be_read_is_read_and_no_more(
    payload: bytes, known: list[int], stored: list[int], lost: bool
) -> None:
    decoded = decode(payload)
    assert (numbers(decoded), [number for number, _, _ in read(decoded)]) == (known, stored)
    assert decoded.numbers_lost == lost
    assert set(stored) == set(known) or decoded.rejections != []
    assert (decoded.items == 0) == (payload == b"")


def test_a_huge_time_costs_nothing_but_itself() -> None:
    samples = [{"seq": 1, "metrics": {"pct": 1}}, {"seq": 2, "ts": 10**400, "metrics": {"pct": 2}}]
    decoded = decode(json.dumps({"boot": "b", "samples": samples}).encode())
    assert (numbers(decoded), [number for number, _, _ in read(decoded)]) == ([1, 2], [1, 2])
    assert decoded.rejections == []


def test_a_message_at_fault_gives_no_reading_that_nothing_could_know_again() -> None:
    assert read(decode(b'{"boot":7,"samples":[{"seq":1,"metrics":{"pct":1}}]}')) == []
    timed = decode(b'{"boot":7,"samples":[{"seq":1,"ts":1771243200000,"metrics":{"pct":1}}]}')
    assert read(timed) == [(None, "pct", 1.0)]
    assert numbers(timed) == []


@pytest.mark.parametrize(
    "payload",
    [
        {"ts": ["x" * 50_000], "metrics": {"pct": 1}},
        {"ts": "x" * 50_000, "metrics": {"pct": 1}},
        {"serial": "x" * 50_000, "metrics": {"pct": 1}},
        {"boot": "x" * 50_000, "metrics": {"pct": 1}},
        {"boot": "b", "seq": "x" * 50_000, "metrics": {"pct": 1}},
        {"boot": "b", "seq": ["x" * 50_000], "metrics": {"pct": 1}},
        {"metrics": {"pct": {"value": 1, "unit": ["x" * 50_000]}}},
        {"metrics": {"x" * 50_000: 1}},
        {"metrics": {"pct": {"x" * 50_000: 1}}},
        ["x" * 50_000],
    ],
)
def test_no_reason_repeats_much_of_what_came(payload: Any) -> None:
    rejections = decode(json.dumps(payload).encode()).rejections
    assert rejections != []
    assert all(len(r.reason) < 200 and len(r.item) < 100 for r in rejections)


@st.composite
def messages(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    values = st.dictionaries(st.sampled_from(["pct", "used"]), st.integers(0, 99_999), min_size=1)
    count = draw(st.integers(1, 5))
    samples = [{"seq": seq, "ts": TS + seq, "metrics": draw(values)} for seq in range(10, 10 + count)]
    content = {"boot": "b", "samples": samples} if count > 1 or draw(st.booleans()) else {"boot": "b", **samples[0]}
    return content, json.dumps(content, indent=draw(st.sampled_from([None, 1]))).encode()


def truth(content: dict[str, Any]) -> set[tuple[int, str, int]]:
    return {
        (sample["seq"], name, value)
        for sample in content.get("samples", [content])
        for name, value in sample["metrics"].items()
    }


@given(messages(), st.data())
def test_of_a_message_that_is_cut_only_what_it_said_is_read(
    message: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    content, payload = message
    decoded = decode(payload[: data.draw(st.integers(1, len(payload) - 1))])
    assert set(read(decoded)) <= truth(content)
    assert set(numbers(decoded)) <= {number for number, _, _ in truth(content)}
    assert decoded.numbers_lost
    assert decoded.rejections != []


@given(messages(), st.data())
def test_junk_within_a_message_makes_no_other_values_and_no_other_numbers(
    message: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    """Bytes that are no digits, so that the values cannot be others that are as good."""
    content, payload = message
    at = data.draw(st.integers(0, len(payload)))
    junk = data.draw(st.binary(min_size=1, max_size=3).filter(lambda raw: not set(raw) & set(b"0123456789.eE+-")))
    decoded = decode(payload[:at] + junk + payload[at + data.draw(st.integers(0, 1)) * len(junk) :])
    if any(r.code == "malformed" and "not JSON" in r.reason for r in decoded.rejections):
        assert {number for number, _, _ in read(decoded)} <= {None, *(number for number, _, _ in truth(content))}
        assert set(numbers(decoded)) <= {number for number, _, _ in truth(content)}


@given(st.binary(max_size=300))
def test_the_walk_over_broken_bytes_never_fails(payload: bytes) -> None:
    assert salvage(payload) is not None


HOSTILE = {
    "nested": b"[" * 262_144,
    "objects": b'{"a":' * 52_000,
    "open": b"[" + b"{" * 262_143,
    "commas": b"{" + b"," * 262_143,
    "quotes": b'{"a":"' * 43_690,
    "escapes": b'{"' + b"\\" * 262_142,
    "colons": b'{"a"' + b":" * 262_140,
    "pairs": b"[" + b"{}" * 131_000,
    "blanks": b'{"boot":' + b" " * 262_000,
    "digits": b'{"seq":' + b"9" * 262_000,
    "numbers": b'{"boot":"b","samples":[' + b'{"seq":1,' * 29_000,
    "words": b'{"a":' + b"1 " * 131_000,
}


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=list(HOSTILE))
def test_the_largest_payload_is_read_in_one_walk(payload: bytes) -> None:
    """A walk with a square in it would not come to its end within the time that a test has."""
    decoded = decode(payload)
    assert decoded.numbers_lost
    assert read(decoded) == []
