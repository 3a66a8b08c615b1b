"""A maker's own language through the door: what a profile says of its properties becomes readings, each once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.aliases import alias_device
from devices.profile import DeviceProfile
from devices.registry import register_device, register_model
from ingest.formats.dry_run import make_registry
from ingest.formats.format import Formats, Subscription
from ingest.formats.saying import Saying
from ingest.formats.spoken import raw, spoken
from ingest.nouns import Delivery, Lane, Limits, Tally
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.registries import load_registries
from millpond.kernel.db import WriteConnection
from millpond.kernel.yaml_file import read_yaml

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
SAID_MS = int(NOW.timestamp() * 1000) - 60_000
LIMITS = Limits(65_536, timedelta(days=365), timedelta(minutes=5))
PROFILE = """
model: acme-air
name: {en: Acme Air, ko: 에이크미 에어, zh: Acme 净化器}
category: air_purifier
metrics:
  filter_used_h: {unit: h, min: 0, max: 200000}
  filter_life_pct: {unit: pct, min: 0, max: 100}
  filter_tag: {kind: state}
  temp_c: {unit: c, min: -40, max: 80}
  mode: {kind: state, states: [auto, sleep]}
  child_lock: {kind: boolean}
parts:
  - part: filter
    consumable: generic-hepa
    prior_life_days: 180
    limits:
      - {metric: filter_used_h, measure: used, capacity: 3500}
      - {metric: filter_life_pct, measure: percent_remaining}
      - {metric: filter_tag, measure: identity}
speaks:
  acme: &said
    "4.3": filter_life_pct
    life: {metric: filter_life_pct, none: [INV, 65535]}
    age: {metric: filter_used_h, unit: minutes}
    temp_dec: {metric: temp_c, scale: 0.1}
    temp_f: {metric: temp_c, unit: f}
    tag: filter_tag
    mode: {metric: mode, values: {1: auto, "2.5": sleep}}
    lock: {metric: child_lock, values: {LOCK: true, UNLOCK: false}}
  hub-acme: *said
"""


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """`{"name", "at", "online", "session", "values"}`, or a list of such."""
    content = json.loads(delivery.payload)
    return [_say(one) for one in (content if isinstance(content, list) else [content])]


def _say(one: dict[str, Any]) -> Saying:
    said = Saying(one.get("name", ""), one.get("values", {}), one.get("at"), one.get("online"), one.get("session", ""))
    return replace(said, other_names=tuple(one.get("also", ())))


FORMATS = Formats(raw("acme", parse), spoken("hub-acme", (Subscription("acme/#", Lane.LIVE),), parse))


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    register_model(conn, read_yaml(DeviceProfile, PROFILE, "acme.yaml"))
    device = register_device(conn, serial="A-1", model="acme-air", installed_at=NOW, at=NOW)
    alias_device(conn, device.device_id, format_name="hub-acme", external_id="kitchen", at=NOW)


def message(content: Any, topic: str = "millpond/v1/A-1/raw/acme", **how: Any) -> Delivery:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Delivery(topic, payload, NOW, Lane.LIVE, 1, 1, 1, **how)


def values(at: int | str | None = SAID_MS, /, **said: Any) -> dict[str, Any]:
    return {"at": at, "values": said}


def store(conn: WriteConnection, *deliveries: Delivery) -> StoredBatch:
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=NOW, formats=FORMATS)


def stored(conn: WriteConnection) -> dict[str, Any]:
    rows = conn.execute(
        "select name, coalesce(to_jsonb(value), to_jsonb(state)) from reading join metric using (metric_id)"
    )
    return dict(rows.fetchall())


def refused(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select serial, item, code, reason from quarantine order by quarantine_id").fetchall()


@pytest.mark.parametrize(
    ("said", "metric", "value"),
    [
        ({"4.3": 64}, "filter_life_pct", 64),
        ({"4.3": "064"}, "filter_life_pct", 64),
        ({"life": 12.5}, "filter_life_pct", 12.5),
        ({"4.3": None, "life": 12}, "filter_life_pct", 12),
        ({"4.3": 64, "life": 12}, "filter_life_pct", 64),
        ({"age": 259_198}, "filter_used_h", 4319.96666667),
        ({"temp_dec": 234}, "temp_c", 23.4),
        ({"temp_f": 68}, "temp_c", 20),
        ({"tag": "80:52"}, "filter_tag", "80:52"),
        ({"tag": 80}, "filter_tag", "80"),
        ({"mode": 1.0}, "mode", "auto"),
        ({"mode": 2.5}, "mode", "sleep"),
        ({"mode": "auto"}, "mode", "auto"),
        ({"lock": "LOCK"}, "child_lock", 1),
        ({"lock": "OFF"}, "child_lock", 0),
        ({"lock": 1}, "child_lock", 1),
    ],
)
def test_a_property_becomes_the_metric_that_the_profile_says(
    conn: WriteConnection, said: dict[str, Any], metric: str, value: Any
) -> None:
    assert store(conn, message(values(**said))).tally == Tally(stored=1)
    assert stored(conn) == {metric: pytest.approx(value) if isinstance(value, float) else value}


@pytest.mark.parametrize("said", [{"life": "INV"}, {"life": 65535.0}, {"4.3": None}, {"fan_speed": 7}, {"Life": 5}])
def test_what_is_no_value_or_no_metric_is_passed_over(conn: WriteConnection, said: dict[str, Any]) -> None:
    assert store(conn, message(values(**said))).tally == Tally()
    assert (stored(conn), refused(conn)) == ({}, [])


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ({"4.3": 137}, "out_of_range", "4.3: filter_life_pct is 137 pct, it can be 0 to 100"),
        ({"4.3": "INV"}, "wrong_kind", "4.3: filter_life_pct is not a number"),
        ({"4.3": 65535}, "out_of_range", "4.3: filter_life_pct is 65535 pct, it can be 0 to 100"),
        ({"4.3": True}, "wrong_kind", "4.3: filter_life_pct is not a number"),
        ({"4.3": [1]}, "wrong_kind", "4.3: filter_life_pct is not a number"),
        ({"age": -60}, "out_of_range", "age: filter_used_h is -1 h, it can be 0 to 200000"),
        ({"age": 10**400}, "out_of_range", "age: filter_used_h is larger than any number we store"),
        ({"age": "1e400"}, "not_finite", "age: filter_used_h is inf"),
        ({"mode": 3}, "out_of_range", "mode is '3', it can be auto, sleep"),
        ({"lock": "perhaps"}, "wrong_kind", "lock: child_lock is not true or false"),
    ],
)
def test_an_impossible_value_is_refused_with_its_reason_and_the_others_are_stored(
    conn: WriteConnection, said: dict[str, Any], code: str, reason: str
) -> None:
    assert store(conn, message(values(**said, tag="T"))).tally == Tally(stored=1, quarantined=1)
    assert stored(conn) == {"filter_tag": "T"}
    assert [(row[2], row[3]) for row in refused(conn)] == [(code, reason)]


def test_the_same_moment_and_values_are_stored_once(conn: WriteConnection) -> None:
    assert store(conn, message(values(life=64)), message(values(life=64))).tally == Tally(stored=1, duplicate=1)
    assert store(conn, message(values(life=63))).tally == Tally(conflict=1)


def test_without_a_time_or_with_an_implausible_one_ours_counts(conn: WriteConnection) -> None:
    said = [values(None, life=64), values(1_000, tag="T")]
    assert store(conn, message(said)).tally == Tally(stored=2)
    rows = conn.execute("select measured_at - %s, corrected from reading order by 1", [NOW]).fetchall()
    assert [row[1] for row in rows] == [True, True]
    assert [row[0] < timedelta(milliseconds=1) for row in rows] == [True, True]


def test_a_time_without_a_zone_is_refused(conn: WriteConnection) -> None:
    assert store(conn, message(values("2026-02-16T12:00:00", life=64, tag="T"))).tally == Tally(quarantined=1)
    assert refused(conn)[0][1:3] == ("#0", "bad_time")


def test_a_retained_message_without_a_time_is_no_news(conn: WriteConnection) -> None:
    assert store(conn, message(values(None, life=64, fan=1), retained=True)).tally == Tally(duplicate=1, no_news=1)
    assert store(conn, message(values(life=64), retained=True)).tally == Tally(stored=1)


def test_presence_is_the_devices_and_an_offline_of_another_session_is_not(conn: WriteConnection) -> None:
    def state() -> Any:
        return conn.execute("select state, session from device_status").fetchone()

    store(conn, message({"online": True, "session": "7"}))
    store(conn, message({"online": False, "session": "6"}))
    assert state() == ("online", "7")
    store(conn, message({"online": True}), message({"online": False}))
    assert state() == ("offline", "acme")


def test_a_bridge_speaks_of_its_topics_serial_and_a_hub_of_what_it_calls_the_device(conn: WriteConnection) -> None:
    other, hubs = (
        message({"name": "other"} | values(life=64)),
        [{"name": "kitchen"} | values(tag="T"), {"name": "x", "values": {"life": 1}}],
    )
    assert store(conn, other, message(hubs, "acme/h")).tally == Tally(stored=2, quarantined=1)
    assert stored(conn) == {"filter_life_pct": 64, "filter_tag": "T"}
    why = "no registered device is what hub-acme calls 'x': add its alias"
    assert refused(conn) == [("hub-acme/x", "", "unknown_device", why)]


def test_a_device_is_found_by_any_of_its_names_and_has_one_result(conn: WriteConnection) -> None:
    said = [{"name": "0x1", "also": ["?", "kitchen"]} | values(tag="T"), {"name": "kitchen"} | values(life=7)]
    assert store(conn, message(said, "acme/h")).tally == Tally(stored=2)
    assert (
        len(
            FORMATS.decode(
                message(said, "acme/h"), load_registries(conn, [message(said, "acme/h")], FORMATS, LIMITS), LIMITS
            )
        )
        == 1
    )


def test_of_an_unknown_serial_the_message_is_one_rejection(conn: WriteConnection) -> None:
    said = [values(life=1, tag="T"), values(life=2)]
    assert store(conn, message(said, "millpond/v1/B-2/raw/acme")).tally == Tally(quarantined=1)
    assert refused(conn) == [("B-2", "", "unknown_serial", "serial B-2 is not registered")]


def test_what_is_not_of_the_language_is_refused_in_its_devices_name(conn: WriteConnection) -> None:
    assert store(conn, message(b"\xff{"), message(b"nothing", "acme/h")).tally == Tally(quarantined=2)
    assert [row[:3] for row in refused(conn)] == [("A-1", "", "malformed"), ("", "", "malformed")]
    assert store(conn, message(b"")).tally == Tally()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["4.3", "life", "age", "temp_dec", "tag", "mode", "lock", "other"]


@given(said=st.dictionaries(st.sampled_from(NAMES), json_values), at=json_values)
def test_whatever_is_said_never_raises(said: dict[str, Any], at: Any) -> None:
    registry = make_registry(read_yaml(DeviceProfile, PROFILE, "acme.yaml"), "acme", ["A-1"], NOW)
    decoded = FORMATS.decode(message({"at": at, "values": said}), {"acme": registry}, LIMITS)
    assert "undecodable" not in [rejection.code for one in decoded for rejection in one.rejections]
