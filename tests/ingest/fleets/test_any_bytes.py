"""Whatever comes on a fleet's topics is read, passed over or refused with its bytes, and never as another device's."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from devices.nouns import Device
from ingest.formats.fleets import Fleets
from ingest.formats.format import Format, Formats
from ingest.formats.shipped import make_formats
from ingest.nouns import Decoded, Delivery, Lane, Limits, Registry
from millpond.kernel.ids import DeviceId, Serial
from tests.ingest.fleets.edge_node import encode, metric
from tests.ingest.fleets.speaking import AT

LIMITS = Limits(8_192, timedelta(days=365), timedelta(minutes=5))
FORMATS = make_formats(Fleets(homeassistant_state_topics=("home/#",)))
# Our own has tests of its own, and bridges name devices by serial.
FLEETS = [
    FORMATS.named(name)
    for name in ("zigbee2mqtt", "valetudo", "tasmota", "shelly", "esphome", "homie", "sparkplug", "homeassistant")
]
LEVELS = ["kitchen", "set", "bridge", "status", "SENSOR", "LWT", "$state", "hass", "availability", "5", "$description"]
OF_DESCRIPTIONS = [
    "nodes",
    "properties",
    "datatype",
    "id",
    "friendly_name",
    "ieee_address",
    "dev",
    "ids",
    "cns",
    "cmps",
]
OF_DESCRIPTIONS += ["stat_t", "avty", "t", "val_tpl", "~"]
OF_MESSAGES = [
    "src",
    "method",
    "params",
    "ts",
    "sys",
    "device",
    "last_seen",
    "Time",
    "Epoch",
    "UptimeSec",
    "ZbReceived",
]
# What a level of a topic may be, and what a payload may say that tries to be somebody else.
levels = st.text(st.characters(exclude_characters="/+#\x00", exclude_categories=["Cs"]), max_size=9) | st.sampled_from(
    LEVELS
)
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["OTHER", "0x1"])
)
keys = st.text(max_size=9) | st.sampled_from([*OF_DESCRIPTIONS, *OF_MESSAGES])
anything = st.recursive(leaves, lambda one: st.lists(one, max_size=4) | st.dictionaries(keys, one, max_size=5))
BIRTH = encode([metric("bdSeq", 3, 4), metric("Life", 64.0, alias=7), metric("x", "OTHER", 12), metric("", 5, 1)], 0)
damaged = st.tuples(st.integers(0, len(BIRTH)), st.binary(max_size=3)).map(
    lambda cut: BIRTH[: cut[0]] + cut[1] + BIRTH[cut[0] + 1 :]
)
payloads = (
    damaged
    | st.binary(max_size=200)
    | anything.map(lambda content: json.dumps(content).encode("utf-8", "surrogatepass"))
    | st.sampled_from([b"online", b"ON", b"nan", b"{", b"[" * 5_000, b'{"a":' * 2_000, b"9" * 400])
)
hard = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def topics_of(filters: Sequence[str]) -> st.SearchStrategy[str]:
    """Topics that some of the filters cover."""
    return st.sampled_from(sorted(filters)).flatmap(_fill)


def _fill(topic_filter: str) -> st.SearchStrategy[str]:
    parts = [levels if part == "+" else st.just(part) for part in topic_filter.split("/") if part != "#"]
    rest = st.lists(levels, min_size=1, max_size=4) if topic_filter.endswith("#") else st.just([])
    return st.tuples(st.tuples(*parts), rest).map(lambda pair: "/".join([*pair[0], *pair[1]]))


def decode(delivery: Delivery, one: Format) -> list[Decoded]:
    """What it becomes where everybody that it speaks of is registered."""
    names = FORMATS.identities([delivery], LIMITS)[one]
    devices = {name: Device(DeviceId(1), Serial(name), "model", "", None, AT, AT) for name in names}
    return FORMATS.decode(delivery, {one.name: Registry(devices, {}, f"{one.name}/")}, LIMITS)


@pytest.mark.parametrize("formats", FLEETS, ids=lambda formats: formats.names[0])
@hard
@given(data=st.data(), payload=payloads, retained=st.booleans())
def test_any_bytes_on_any_of_its_topics_are_read_or_refused(
    formats: Formats, data: st.DataObject, payload: bytes, retained: bool
) -> None:
    topic = data.draw(topics_of(formats.topic_filters(Lane.LIVE)))
    delivery = Delivery(topic, payload, AT, Lane.LIVE, 1, 1, 1, retained=retained)
    one = FORMATS.reading(topic)
    assert one is not None
    for decoded in decode(delivery, one):
        assert "undecodable" not in {rejection.code for rejection in decoded.rejections}


DESCRIBING = [formats for formats in FLEETS if formats.all[0].describing is not None]


@pytest.mark.parametrize("formats", DESCRIBING, ids=lambda formats: formats.names[0])
@hard
@given(data=st.data(), said=st.lists(payloads, min_size=1, max_size=4))
def test_whatever_was_described_the_next_message_is_read_or_refused(
    formats: Formats, data: st.DataObject, said: list[bytes]
) -> None:
    known: dict[str, bytes] = {}
    for payload in said:
        delivery = Delivery(data.draw(topics_of(formats.topic_filters(Lane.LIVE))), payload, AT, Lane.LIVE, 1, 1, 1)
        one = FORMATS.reading(delivery.topic)
        assert one is not None
        if one.describing is None:
            continue
        with suppress(ValueError):
            needed = {key: known[key] for key in one.describing.needs(delivery) if key in known}
            delivery = structs.replace(delivery, described=needed)
            known |= {key: description.body for key, description in one.describing.describes(delivery).items()}
        for decoded in decode(delivery, one):
            assert "undecodable" not in {rejection.code for rejection in decoded.rejections}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("valetudo/kitchen/BatteryStateAttribute/level", {"identity": "OTHER"}),
        ("tele/kitchen/SENSOR", {"Topic": "OTHER", "ZbReceived": {"OTHER": {"x": 1}}}),
        ("shellyplusht-c049ef8d6a10/events/rpc", {"src": "OTHER", "method": "NotifyStatus", "params": {"a": {"b": 1}}}),
        ("shellyplusht-c049ef8d6a10/status/sys", {"src": "OTHER", "mac": "OTHER"}),
        ("homie/5/kitchen/$description", {"id": "OTHER", "nodes": {"OTHER": {"properties": {}}}}),
        ("spBv1.0/G/DDATA/E/kitchen", {"metrics": [{"name": "x", "value": "OTHER", "device": "OTHER"}]}),
        ("kitchen/sensor/x/state", "OTHER"),
        ("zigbee2mqtt/kitchen", {"friendly_name": "OTHER", "topic": "OTHER"}),
    ],
)
def test_a_payload_makes_nobody_another_device(topic: str, payload: object) -> None:
    one = FORMATS.reading(topic)
    assert one is not None
    delivery = Delivery(topic, json.dumps(payload).encode(), AT, Lane.LIVE, 1, 1, 1)
    assert "OTHER" not in {decoded.serial for decoded in decode(delivery, one)}
