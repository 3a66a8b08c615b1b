"""Shelly: notifications whole and in part, the status of one component, and a battery that is none."""

from typing import Any

import pytest

from tests.ingest.fleets.speaking import described_by, say, say_one

PLUG = "shellyplusplugs-a8032ab1d2e4"
SENSOR = "shellyplusht-c049ef8d6a10"


def notify(method: str, params: dict[str, Any], source: str = PLUG) -> dict[str, Any]:
    return {"src": source, "dst": f"{source}/events", "method": method, "params": {"ts": 1771243200, **params}}


def test_a_full_status_says_every_component() -> None:
    system = {"mac": "A8032AB1D2E4", "uptime": 3612, "unixtime": None}
    switch = {
        "id": 0,
        "output": True,
        "apower": 41.2,
        "aenergy": {"total": 1502.25, "by_minute": [1.5, 2], "minute_ts": 5},
    }
    saying = say_one(
        f"{PLUG}/events/rpc", notify("NotifyFullStatus", {"ts": 1771243200.62, "sys": system, "switch:0": switch})
    )
    assert (saying.identity, saying.model, saying.said_at) == (PLUG, "shellyplusplugs", 1771243200620)
    assert saying.values["switch:0.aenergy.total"] == 1502.25
    assert saying.values["switch:0.output"] is True
    assert "sys.unixtime" not in saying.values, "null is no value"


def test_a_change_says_only_what_changed() -> None:
    saying = say_one(f"{PLUG}/events/rpc", notify("NotifyStatus", {"switch:0": {"id": 0, "apower": 0}}))
    assert saying.values == {"switch:0.id": 0, "switch:0.apower": 0}


def test_an_event_is_no_status() -> None:
    events = [{"component": "input:0", "id": 0, "event": "single_push", "ts": 1771243200.1}]
    assert say(f"{PLUG}/events/rpc", notify("NotifyEvent", {"events": events})) == []


@pytest.mark.parametrize(
    ("external", "percent", "known"), [(True, 0, False), (True, 80, True), (False, 0, True), (None, 0, True)]
)
def test_a_battery_at_nothing_beside_external_power_is_none(external: bool | None, percent: int, known: bool) -> None:
    power: dict[str, Any] = {"id": 0, "battery": {"V": 0.43, "percent": percent}}
    if external is not None:
        power["external"] = {"present": external}
    saying = say_one(f"{SENSOR}/events/rpc", notify("NotifyFullStatus", {"devicepower:0": power}, SENSOR))
    assert (saying.values.get("devicepower:0.battery.percent") == percent) is known


def test_a_component_may_be_said_alone() -> None:
    saying = say_one(f"{PLUG}/status/switch:0", {"id": 0, "output": False, "aenergy": {"total": 5}})
    assert (saying.identity, saying.said_at) == (PLUG, None)
    assert saying.values == {"switch:0.id": 0, "switch:0.output": False, "switch:0.aenergy.total": 5}
    system = say_one(f"{PLUG}/status/sys", {"unixtime": 1771243200, "uptime": 5})
    assert system.said_at == 1771243200000


def test_its_will_says_whether_it_is_there() -> None:
    assert say_one(f"{PLUG}/online", "true").online is True
    assert say_one(f"{PLUG}/online", "false").online is False


def test_a_device_with_a_prefix_of_its_owners_choice_is_known_by_its_id() -> None:
    message = notify("NotifyStatus", {"humidity:0": {"rh": 42.2}}, SENSOR)
    saying = say_one("bathroom/events/rpc", message)
    assert (saying.identity, saying.other_names) == (SENSOR, ("bathroom",))
    known = described_by("bathroom/events/rpc", message)
    assert say_one("bathroom/online", "false", described=known).identity == SENSOR
    assert say_one("bathroom/online", "false").identity == "bathroom"
    assert described_by(f"{SENSOR}/events/rpc", message) == {}


def test_a_device_cannot_speak_as_another() -> None:
    message = notify("NotifyStatus", {"humidity:0": {"rh": 42.2}}, SENSOR)
    with pytest.raises(ValueError, match="the topic is of"):
        say(f"{PLUG}/events/rpc", message)
    assert described_by(f"{PLUG}/events/rpc", message) == {}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("events/rpc", "[]"),
        ("events/rpc", "{}"),
        ("events/rpc", notify("NotifyStatus", {}) | {"params": 1}),
        ("online", "1"),
    ],
)
def test_what_is_no_such_message_is_refused(topic: str, payload: object) -> None:
    with pytest.raises(ValueError, match=r"object|src|neither"):
        say(f"{PLUG}/{topic}", payload)


@pytest.mark.parametrize(
    ("path", "payload", "values"),
    [
        ("relay/0", "on", {"relay.0": "on"}),
        ("relay/0/energy", "602000", {"relay.0.energy": 602000}),
        ("sensor/battery", "78", {"sensor.battery": 78}),
        ("temperature", "41.5", {"temperature": 41.5}),
        ("info", {"bat": {"value": 78}}, {"bat.value": 78}),
    ],
)
def test_the_first_generation_has_a_topic_for_each_value(path: str, payload: object, values: dict[str, object]) -> None:
    saying = say_one(f"shellies/shellyplug-s-7AE8C1/{path}", payload)
    assert (saying.identity, saying.model, saying.values) == ("shellyplug-s-7AE8C1", "shellyplug-s", values)


def test_the_first_generation_says_who_is_there_and_passes_commands_over() -> None:
    assert say_one("shellies/shellyht-C45BBE/online", "false").online is False
    assert say("shellies/shellyplug-s-7AE8C1/relay/0/command", "off") == []


def test_a_later_device_may_have_its_prefix_where_the_first_generation_has_its_topics() -> None:
    notification = {"src": "shellyplusht-c049ef8d6a10", "method": "NotifyStatus", "params": {"humidity:0": {"rh": 42}}}
    assert say_one("shellies/attic/events/rpc", notification).identity == "shellyplusht-c049ef8d6a10"
    known = described_by("shellies/attic/events/rpc", notification)
    assert say_one("shellies/attic/online", "true", described=known).identity == "shellyplusht-c049ef8d6a10"
