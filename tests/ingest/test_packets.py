"""Packets of MQTT 3.1.1, against paho in both directions, in pieces of any size, and malformed in every way."""

import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker import packets
from ingest.broker.packets import Answer, Packet, Parsed, Published, Stream, parse
from tests.ingest.conftest import PATIENCE_S, wait_until
from tests.ingest.played_broker import PlayedBroker

TOPICS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00#+"), min_size=1, max_size=200)
PAYLOADS = st.binary(max_size=300) | st.integers(0, 40_000).map(bytes)
MESSAGES = st.lists(st.tuples(TOPICS, PAYLOADS, st.integers(0, 2), st.booleans()), min_size=1, max_size=8)
Message = tuple[str, bytes, int, bool]
SOME = b"".join(
    [
        b"\x20\x02\x00\x00",
        packets.publish(7, "millpond/v1/A/telemetry", b"{}"),
        b"\x31\x06\x00\x02\xc3\xa9no",
        packets.publish(65_535, "t" * 300, b"x" * 20_000, again=True),
        packets.answer(Answer.PUBACK, [1, 65_535]),
        b"\xd0\x00",
    ]
)


class Paho:
    """A real client of paho's at a broker that the test plays."""

    def __init__(self) -> None:
        self.broker = PlayedBroker()
        self.heard: list[tuple[str, bytes, int, bool]] = []
        self.confirmed: list[int] = []
        connected = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="paho", manual_ack=True)
        self.client.max_inflight_messages_set(0)
        self.client.on_connect = lambda *_: connected.set()
        self.client.on_message = lambda _client, _user, one: self.heard.append(
            (one.topic, bytes(one.payload), one.mid, one.dup)
        )
        self.client.on_publish = lambda _client, _user, mid, *_: self.confirmed.append(mid)
        self.client.connect_async("127.0.0.1", self.broker.port)
        self.client.loop_start()
        self.broker.accept()
        assert connected.wait(PATIENCE_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.broker.close()


@pytest.fixture(scope="module")
def paho() -> Iterator[Paho]:
    client = Paho()
    yield client
    client.close()


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
def test_what_paho_publishes_is_read_as_it_was_meant(paho: Paho, messages: Sequence[Message]) -> None:
    before = len(paho.broker.published)
    sent = [paho.client.publish(topic, payload, qos, retain) for topic, payload, qos, retain in messages]
    came = paho.broker.wait_for_published(before + len(messages))[before:]
    assert [(one.topic, one.payload, one.qos, one.retained) for one in came] == messages
    assert [one.mid for one in came] == [info.mid if one.qos else 0 for info, one in zip(sent, came, strict=True)]
    # What we answer is what paho takes for the end of these.
    mids = [one.mid for one in came if one.qos == 1]
    paho.broker.send(packets.answer(Answer.PUBACK, mids))
    wait_until(lambda: set(mids) <= set(paho.confirmed), "paho to know that it was heard")


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
def test_what_we_publish_is_read_by_paho_as_it_was_meant(paho: Paho, messages: Sequence[Message]) -> None:
    before = len(paho.heard)
    expected = [(topic, payload, mid, again) for mid, (topic, payload, _, again) in enumerate(messages, start=1)]
    for topic, payload, mid, again in expected:
        paho.broker.send(packets.publish(mid, topic, payload, again=again))
    wait_until(lambda: len(paho.heard) >= before + len(messages), "paho to have heard all")
    assert paho.heard[before:] == expected


def fed(stream: Stream, *pieces: bytes) -> tuple[list[Published], list[Packet], str]:
    parsed = [stream.feed(piece) for piece in pieces]
    published = [one for each in parsed for one in each.published]
    return published, [one for each in parsed for one in each.others], parsed[-1].fault


def test_packets_that_are_split_anywhere_are_the_same() -> None:
    whole = fed(Stream(), SOME)
    assert (len(whole[0]), len(whole[1]), whole[2]) == (3, 4, "")
    for at in range(len(SOME) + 1):
        assert fed(Stream(), SOME[:at], SOME[at:]) == whole
    assert fed(Stream(), *(SOME[at : at + 1] for at in range(len(SOME)))) == whole


def test_what_is_sent_again_or_retained_is_told_apart() -> None:
    assert parse(b"\x3a\x05\x00\x01t\x00\x09").published == [Published("t", b"", 9, 1, False, True)]
    assert parse(b"\x35\x05\x00\x01t\x00\x09").published == [Published("t", b"", 9, 2, True, False)]
    assert parse(b"\x30\x04\x00\x01tx").published == [Published("t", b"x", 0, 0, False, False)]


@pytest.mark.parametrize(
    "malformed",
    [
        b"\x30\xff\xff\xff\xff\x01",
        b"\xd0\x80\x80\x80\x80",
        b"\x36\x06\x00\x01t\x00\x01x",
        b"\x30\x01\x00",
        b"\x30\x00",
        b"\x30\x03\x00\x02t",
        b"\x32\x04\x00\x01t\x00",
        b"\x32\x02\x00\x00",
    ],
)
def test_what_is_malformed_ends_the_reading_and_costs_nothing_that_came_before(malformed: bytes) -> None:
    good = packets.publish(1, "t", b"x")
    parsed = parse(good + malformed + good)
    assert parsed.published == [Published("t", b"x", 1, 1, False, False)]
    assert parsed.taken == len(good)
    assert parsed.fault


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_no_bytes_are_too_bad_to_be_parsed(data: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(data)]
    fed(Stream(), *(data[begin:end] for begin, end in pairwise(at)))


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_a_topic(raw: bytes) -> None:
    body = len(raw).to_bytes(2, "big") + raw + b"\x00\x01"
    [published] = parse(b"\x32" + bytes([len(body)]) + body + b"").published
    assert published.topic == raw.decode("utf-8", "replace")


def test_the_largest_packet_is_waited_for_and_a_larger_one_is_not_made() -> None:
    stream = Stream()
    assert stream.feed(b"\x30\xff\xff\xff\x7f\x00\x01t") == Parsed([], [], 0)
    for _ in range(100):
        assert stream.feed(b"x" * 1_000) == Parsed([], [], 0)
    with pytest.raises(ValueError, match="more than MQTT can carry"):
        packets.publish(1, "t", bytes(packets.MAX_REMAINING))


def test_a_large_packet_is_put_together_once() -> None:
    size = 30_000_000
    data = packets.publish(1, "t", bytes(size)) + packets.publish(2, "t", b"x")
    published, _, _ = fed(Stream(), *(data[at : at + 4_096] for at in range(0, len(data), 4_096)))
    assert [(one.mid, len(one.payload)) for one in published] == [(1, size), (2, 1)]


@pytest.mark.parametrize(("body", "why"), [(b"\x00\x00", ""), (b"\x00\x05", "not authorised"), (b"", "nothing")])
def test_a_refusal_says_why(body: bytes, why: str) -> None:
    assert why in packets.refusal(Packet(2, body))
    assert bool(packets.refusal(Packet(2, body))) == bool(why)


def test_refused_filters_are_named() -> None:
    assert packets.refused_filters(Packet(9, b"\x00\x01\x01\x80\x00"), ["a", "b", "c"]) == ["b"]
    assert packets.refused_filters(Packet(9, b"\x00\x01\x01"), ["a", "b"]) == ["b"]
