"""What makers' own messages say: every form that a bridge publishes, by its properties."""

import json
import re
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from ingest.formats.matter import MATTER
from ingest.formats.matter.parse import parse as parse_matter
from ingest.formats.saying import Saying
from ingest.nouns import Delivery, Lane

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
EXAMPLES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("makers.yaml").read_text(encoding="utf-8"))
LANGUAGES = list(dict.fromkeys(one["format"] for one in EXAMPLES))
DEEP = json.dumps({"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)
REFUSED = [
    ("miio", '{"id": 1, "error": {"code": -5001}}', "the device answered with the error"),
    ("miio", "7", "the payload is 7, neither properties nor a list of values"),
    ("miot", '{"id": 1, "error": {"code": -9999}}', "the device answered with the error"),
    ("miot", '"x"', "the payload is 'x', neither a property nor a list of them"),
    ("mihome", '{"items": [{"did": "1", "details": []}, {"did": "2", "details": []}]}', "the page is of 2 devices"),
    ("mihome", '{"code": 0}', "the page has null where its items should stand"),
    ("roborock", '{"dps": {"102": "{\\"id\\": 1, \\"error\\": {\\"code\\": -10007}}"}}', "answered with the error"),
    ("roborock", "[1, 2]", "the payload is a list, but not of one object"),
    ("ecovacs", '{"ret": "fail", "debug": "wait for response timed out"}', "'wait for response timed out'"),
    ("ecovacs", "<ctl ret='error'/>", "the device answered with 'error'"),
    ("ecovacs", "<!DOCTYPE a [<!ENTITY b 'c'>]><ctl type='Brush' val='&b;'/>", "declares entities"),
    ("ecovacs", "<ctl", "the payload is not XML"),
    ("dyson", '{"time": "2026-02-16T12:00:00Z"}', "msg is null"),
    ("matter", '{"temperature": 1}', "no name in the payload is a path of endpoint/cluster/attribute"),
    ("ipp", '"idle"', "the payload is 'idle', not an object"),
    ("brother", "[]", "not an object"),
    ("smartthings", '{"deviceId": "d1"}', "nothing in the payload is an attribute with its value"),
    ("tuya", '{"success": false, "code": 1106, "msg": "permission deny"}', "the cloud answered with 'permission deny'"),
    ("vesync", '{"code": -11300030, "msg": "device offline", "result": null}', "'device offline'"),
    ("tradfri", "[65551]", "not an object"),
]


def parse(language: str, payload: str | bytes) -> list[Saying]:
    raw = payload if isinstance(payload, bytes) else payload.encode()
    delivery = Delivery(f"millpond/v1/A-1/raw/{language}", raw, NOW, Lane.LIVE, 1, 1, 1)
    return list(import_module(f"ingest.formats.{language}.parse").parse(delivery, {}))


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: f"{one['format']}: {one['name']}")
def test_a_message_says_what_its_maker_has_in_it(one: dict[str, Any]) -> None:
    sayings = parse(one["format"], one["payload"])
    values = {name: value for saying in sayings for name, value in saying.values.items()}
    assert {name: values.get(name) for name in one["says"]} == one["says"]
    assert not values.keys() & set(one.get("silent", ()))
    assert {saying.identity for saying in sayings} == {"A-1"}


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: f"{one['format']}: {one['name']}")
def test_a_message_says_when_it_was_so_and_what_the_device_is(one: dict[str, Any]) -> None:
    sayings = parse(one["format"], one["payload"])
    assert one.get("at") in {saying.said_at for saying in sayings}
    assert {saying.model for saying in sayings} == {one.get("model", "")}
    assert {saying.online for saying in sayings} == {one.get("online")}


@pytest.mark.parametrize(("language", "payload", "why"), REFUSED)
def test_what_is_no_message_of_the_language_is_refused_with_a_sentence(language: str, payload: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(language, payload)


@pytest.mark.parametrize(
    ("language", "payload", "good"),
    [
        ("miot", '[{"siid": 4, "piid": 3, "code": 0, "value": 1}, 7, {"siid": 4}]', {"4.3": 1}),
        ("mihome", '{"details": [{"prop": "prop.4.3", "value": "9"}, {"value": "1"}, null]}', {"4.3.value": 9}),
        ("ecovacs", '[{"type": "brush", "left": 1}, {"left": 2}, "x"]', {"brush.left": 1}),
        ("tuya", '[{"code": "filter_life", "value": 1}, {"code": "pm25"}, 3]', {"filter_life": 1}),
    ],
)
def test_an_item_that_cannot_be_read_costs_only_itself(language: str, payload: str, good: dict[str, Any]) -> None:
    sayings = parse(language, payload)
    assert {name: value for saying in sayings for name, value in saying.values.items()} == good
    assert [refused.item for saying in sayings for refused in saying.rejections] == ["#1", "#2"]


@pytest.mark.parametrize(
    ("topic", "payload", "values"),
    [
        ("device/123/up/properties_changed/4/3", {"params": {"siid": 4, "piid": 3, "value": 45}}, {"4.3": 45}),
        ("device/123/up/event_occured/9/1", {"params": {"siid": 9, "eiid": 1, "arguments": []}}, {}),
        ("master/appMsg/notify/iot/123/property/4.3", {"did": "123", "siid": 4, "piid": 3, "value": 45}, {"4.3": 45}),
    ],
)
def test_on_xiaomis_own_topics_a_device_is_its_number(topic: str, payload: Any, values: dict[str, Any]) -> None:
    delivery = Delivery(topic, json.dumps(payload).encode(), NOW, Lane.LIVE, 1, 1, 1)
    (saying,) = import_module("ingest.formats.miot.parse").parse(delivery, {})
    assert (saying.identity, saying.values) == ("123", values)


def pack(*fields: tuple[int, bytes]) -> bytes:
    """Fields as a Xiaomi hub's own broker writes them."""
    return b"".join(len(data).to_bytes(4, "little") + bytes([kind]) + data for kind, data in fields)


def test_what_a_hub_packs_is_unpacked() -> None:
    content = b'{"did": "123", "siid": 4, "piid": 3, "value": 45}\0'
    packed = pack((0, b"\1\0\0\0"), (3, b"hub\0"), (1, b"answer\0"), (2, content))
    delivery = Delivery("master/appMsg/notify/iot/123/property/4.3", packed, NOW, Lane.LIVE, 1, 1, 1)
    (saying,) = import_module("ingest.formats.miot.parse").parse(delivery, {})
    assert saying.values == {"4.3": 45}


@pytest.mark.parametrize("cut", [1, 4, 7, 20, 60])
def test_a_packed_message_that_is_cut_is_no_json(cut: int) -> None:
    packed = pack((0, b"\1\0\0\0"), (2, b'{"siid": 4, "piid": 3, "value": 45}\0'))
    assert "not JSON" in refusal("miot", packed[:-cut] if cut < len(packed) else b"\0")


def test_xiaomis_cloud_says_which_device_came_and_went() -> None:
    payload = {"device_id": "123", "event": "offline", "model": "zhimi.airp.mb5", "timestamp": 1771243200000}
    delivery = Delivery("device/123/state/online", json.dumps(payload).encode(), NOW, Lane.LIVE, 1, 1, 1)
    (saying,) = import_module("ingest.formats.miot.parse").parse(delivery, {})
    assert (saying.online, saying.model, saying.said_at) == (False, "zhimi.airp.mb5", 1771243200000)


def told(payload: Any, described: dict[str, bytes]) -> dict[str, bytes]:
    """What is known when a message has been heard, as ingest keeps it."""
    topic = "millpond/v1/A-1/raw/matter"
    delivery = Delivery(topic, json.dumps(payload).encode(), NOW, Lane.LIVE, 1, 1, 1, described=described)
    assert MATTER.describing is not None
    return {**described, **{key: told.body for key, told in MATTER.describing.describes(delivery).items()}}


def test_what_changes_of_a_filter_is_read_in_the_direction_that_its_node_said_before() -> None:
    known = told({"attributes": {"1/113/0": 30, "1/113/1": 0, "2/113/1": 1}}, {})
    known = told(["5", "2/114/1", 0], known)
    delivery = Delivery("millpond/v1/A-1/raw/matter", b"", NOW, Lane.LIVE, 1, 1, 1, described=known)
    changes = {"1/113/0": "1/113/0.used", "2/113/0": "2/113/0", "2/114/0": "2/114/0.used", "1/114/0": "1/114/0"}
    for changed, said in changes.items():
        payload = json.dumps({"event": "attribute_updated", "data": [5, changed, 31]}).encode()
        (saying,) = parse_matter(structs.replace(delivery, payload=payload), known)
        assert saying.values == {said: 31}


def test_of_several_devices_on_a_page_the_one_of_the_topic_counts() -> None:
    parts = [{"did": did, "details": [{"prop": "prop.4.3", "value": value}]} for did, value in (("A-1", 7), ("B", 8))]
    (saying,) = parse("mihome", json.dumps({"items": [{"consumes_data": parts}]}))
    assert saying.values == {"4.3.value": 7}


def refusal(language: str, payload: str | bytes) -> str:
    """Why it is refused, in the words of the language's reader; empty when it is not."""
    try:
        parse(language, payload)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("language", LANGUAGES)
@given(content=JSON)
@example(content=json.loads(DEEP))
def test_no_json_does_more_than_be_refused(language: str, content: Any) -> None:
    assert len(refusal(language, json.dumps(content))) < 300


@pytest.mark.parametrize("language", LANGUAGES)
@given(payload=st.binary(max_size=60))
@example(payload=b"<\x00?\x00")
@example(payload=b"[" * 5_000)
@example(payload=b"<a>" * 5_000)
def test_no_bytes_do_more_than_be_refused(language: str, payload: bytes) -> None:
    assert len(refusal(language, payload)) < 300
