"""Sparkplug B: births, numbers for names, wills, what is missing, and every type of value."""

import sys
from typing import Any

import pytest

from ingest.formats.saying import Saying
from ingest.formats.sparkplug.payload import build_rebirth, read_payload
from ingest.formats.sparkplug.schema import payload_class
from tests.ingest.fleets.edge_node import AT_MS, EdgeNode, encode, metric
from tests.ingest.fleets.speaking import say

BD_SEQ = metric("bdSeq", 3, 4)
LIFE = metric("Filter/Life", 64.0, alias=7)


def born(*more: dict[str, Any]) -> EdgeNode:
    node = EdgeNode()
    node.say("NBIRTH", BD_SEQ, LIFE, *more)
    return node


def values(sayings: list[Saying]) -> dict[str, Any]:
    return {name: value for saying in sayings for name, value in saying.values.items()}


def refused(sayings: list[Saying]) -> list[tuple[str, str]]:
    return [(rejection.code, rejection.item) for saying in sayings for rejection in saying.rejections]


def asked(sayings: list[Saying]) -> list[str]:
    return [ask.topic for saying in sayings for ask in saying.asks]


def presence(sayings: list[Saying]) -> dict[str, tuple[bool, str]]:
    return {one.identity: (one.online, one.session) for one in sayings if one.online is not None}


def test_a_birth_says_that_a_node_is_there_and_its_values() -> None:
    sayings = EdgeNode().say("NBIRTH", BD_SEQ, metric("Node Control/Rebirth", False, 11), LIFE)
    assert values(sayings) == {"Filter/Life": 64}
    assert presence(sayings) == {"G/E": (True, "3")}
    assert asked(sayings) == []


def test_data_may_have_numbers_for_names_and_leave_its_types_out() -> None:
    node = born(metric("Offset", 5, 1, alias=8))
    sayings = node.say("NDATA", metric("", None, 0, alias=7, double_value=63.0), metric("", 251, 0, alias=8))
    assert values(sayings) == {"Filter/Life": 63, "Offset": -5}
    assert (refused(sayings), asked(sayings)) == ([], [])


def test_devices_behind_a_node_have_births_and_deaths_of_their_own() -> None:
    node = born()
    came = node.say("DBIRTH/pump", metric("Hours", 10.0, alias=20))
    assert (values(came), presence(came)) == ({"Hours": 10}, {"G/E/pump": (True, "3")})
    assert values(node.say("DDATA/pump", metric("", 11.0, alias=20))) == {"Hours": 11}
    assert presence(node.say("DDEATH/pump")) == {"G/E/pump": (False, "3")}
    gone = node.say("DDATA/pump", metric("", 12.0, alias=20))
    assert refused(gone) == [("undescribed", "#20")]


def test_a_will_takes_the_devices_along_and_one_of_an_earlier_life_takes_nobody() -> None:
    node = born()
    node.say("DBIRTH/pump", metric("Hours", 10.0, alias=20))
    assert presence(node.say("NDEATH", metric("bdSeq", 2, 4))) == {"G/E": (False, "2")}
    assert values(node.say("NDATA", metric("", 63.0, alias=7), seq=2)) == {"Filter/Life": 63}
    left = node.say("NDEATH", BD_SEQ)
    assert presence(left) == {"G/E": (False, "3"), "G/E/pump": (False, "3")}
    assert asked(node.say("NDATA", metric("", 62.0, alias=7), seq=3)) == ["spBv1.0/G/NCMD/E"]


def test_data_before_a_birth_is_asked_for_and_waits() -> None:
    node = EdgeNode()
    sayings = node.say("NDATA", metric("", 63.0, alias=7), metric("Named", 5.0), seq=41)
    assert (values(sayings), refused(sayings)) == ({"Named": 5}, [("undescribed", "#7")])
    [ask] = [ask for saying in sayings for ask in saying.asks]
    assert ask.topic == "spBv1.0/G/NCMD/E"
    [command] = read_payload(ask.payload).metrics
    assert (command.name, command.raw, command.datatype, command.at) == ("Node Control/Rebirth", True, 11, AT_MS)
    node.say("NBIRTH", BD_SEQ, LIFE)
    again = node.say("NDATA", metric("", 63.0, alias=7), seq=41, redelivered=True)
    assert (values(again), refused(again)) == ({"Filter/Life": 63}, [])


def test_a_message_that_is_missing_makes_numbers_doubtful_until_the_next_birth() -> None:
    node = born()
    node.say("NDATA", metric("", 63.0, alias=7), seq=1)
    for seq in (3, 4):
        sayings = node.say("NDATA", metric("", 62.0, alias=7), seq=seq)
        assert (values(sayings), refused(sayings)) == ({}, [("undescribed", "#7")])
        assert asked(sayings) == ["spBv1.0/G/NCMD/E"]
    node.say("NBIRTH", BD_SEQ, LIFE)
    assert values(node.say("NDATA", metric("", 62.0, alias=7))) == {"Filter/Life": 62}


def test_the_number_of_a_message_begins_anew_after_255() -> None:
    node = born()
    for _ in range(600):
        sayings = node.say("NDATA", metric("", 63.0, alias=7))
        assert (values(sayings), asked(sayings)) == ({"Filter/Life": 63}, [])
    assert node.seq == 600 % 256


def test_what_the_broker_hands_out_again_misses_nothing() -> None:
    node = born()
    for seq in (1, 2, 3):
        node.say("NDATA", metric("", 63.0, alias=7), seq=seq)
    for seq in (2, 3):
        again = node.say("NDATA", metric("", 63.0, alias=7), seq=seq, redelivered=True)
        assert (values(again), asked(again)) == ({"Filter/Life": 63}, [])
    assert asked(node.say("NDATA", metric("", 63.0, alias=7), seq=4)) == []


def test_the_birth_of_a_device_counts_for_one_life_of_its_node() -> None:
    node = born()
    node.say("DBIRTH/pump", metric("Hours", 10.0, alias=20))
    node.say("NBIRTH", metric("bdSeq", 4, 4), LIFE)
    assert refused(node.say("DDATA/pump", metric("", 11.0, alias=20))) == [("undescribed", "#20")]


@pytest.mark.parametrize(
    ("raw", "datatype", "value"),
    [
        (255, 1, -1),
        (2**32 - 1, 1, -1),
        (65_535, 2, -1),
        (2**32 - 5, 3, -5),
        (2**64 - 5, 4, -5),
        (200, 5, 200),
        (60_000, 6, 60_000),
        (4_000_000_000, 7, 4_000_000_000),
        (2**64 - 1, 8, 2**64 - 1),
        (0.5, 9, 0.5),
        (21.5, 10, 21.5),
        (True, 11, True),
        ("auto", 12, "auto"),
        (AT_MS, 13, AT_MS),
        ("long", 14, "long"),
    ],
)
def test_every_type_of_value_is_read_with_its_sign(raw: Any, datatype: int, value: Any) -> None:
    assert values(EdgeNode().say("NBIRTH", metric("x", raw, datatype))) == {"x": value}


@pytest.mark.parametrize(
    "nothing",
    [
        metric("x", 5.0, is_null=True),
        metric("x"),
        metric("x", None, 16),
        metric("x", "blob", 12) | {"datatype": 19},
        metric("x", 5) | {"datatype": 22},
    ],
)
def test_what_is_null_a_table_a_template_or_a_list_is_passed_over(nothing: dict[str, Any]) -> None:
    sayings = EdgeNode().say("NBIRTH", nothing)
    assert (values(sayings), refused(sayings)) == ({}, [])


def test_each_value_has_its_own_time() -> None:
    old = metric("x", 1.0, timestamp=AT_MS - 60_000, is_historical=True)
    sayings = EdgeNode().say("NBIRTH", old, metric("y", 2.0))
    assert [(one.said_at, one.values) for one in sayings if one.values] == [
        (AT_MS - 60_000, {"x": 1}),
        (AT_MS, {"y": 2}),
    ]


def test_a_payload_may_be_as_tools_show_it() -> None:
    shown = {
        "timestamp": AT_MS,
        "metrics": [
            {"name": "bdSeq", "timestamp": AT_MS, "dataType": "Int64", "value": 5},
            {"name": "Filter/Life", "alias": 7, "dataType": "Double", "doubleValue": 64.5},
            {"name": "Gone", "datatype": 10, "is_null": True, "value": 5},
        ],
        "seq": 0,
    }
    sayings = say("spBv1.0/G/NBIRTH/E", shown)
    assert values(sayings) == {"Filter/Life": 64.5}
    assert presence(sayings) == {"G/E": (True, "5")}


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff\xff",
        encode([LIFE])[:-3],
        encode([LIFE]).replace(b"Life", b"L\x80fe"),
        encode([metric("x", "word", 12)]).replace(b"word", b"w\x80rd"),
        b"{",
        b"[1]",
        b"online",
    ],
)
def test_what_is_no_such_payload_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="payload"):
        say("spBv1.0/G/NDATA/E", payload)


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = encode([LIFE])
    payload_class.cache_clear()
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    with pytest.raises(ValueError, match="pip install protobuf"):
        say("spBv1.0/G/NDATA/E", payload)
    payload_class.cache_clear()


@pytest.mark.parametrize("at_ms", [0, 127, 128, AT_MS, 2**63])
def test_what_asks_for_a_birth_is_written_as_protobuf_writes_it(at_ms: int) -> None:
    asked = metric("Node Control/Rebirth", True, 11, timestamp=at_ms)
    assert payload_class().FromString(build_rebirth(at_ms)) == payload_class()(timestamp=at_ms, metrics=[asked])


def test_what_tools_show_in_json_is_read_without_protobuf_and_asks_for_a_birth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    payload_class.cache_clear()
    later = {"timestamp": AT_MS, "metrics": [{"name": "Filter/Life", "value": 64.5}], "seq": 9}
    sayings = say("spBv1.0/Hall/NDATA/Vent", later)
    assert values(sayings) == {"Filter/Life": 64.5}
    assert [ask.topic for saying in sayings for ask in saying.asks] == ["spBv1.0/Hall/NCMD/Vent"]
