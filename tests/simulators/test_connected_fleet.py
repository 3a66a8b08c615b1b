"""A fleet at a real broker, with the platform played by the test."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from devices import wire
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import AcceleratedClock, Clock, SystemClock
from millpond.kernel.errors import ConfigurationError, InvalidInput, Unavailable
from simulators.runs.connected import ConnectedFleet
from simulators.runs.fleet import Fleet, FleetPlan, build_fleet
from simulators.runs.summary import FleetSummary, Progress
from simulators.scenarios.simulation import SimulateOptions, simulate
from simulators.wire.faults import Faults
from simulators.wire.pace import Limits
from tests.simulators.played_platform import PlayedPlatform

START = datetime(2025, 9, 1, tzinfo=UTC)


def _numbers(platform: PlayedPlatform, fleet: Fleet) -> dict[str, list[int]]:
    return {d.serial: sorted(platform.seen.get((d.serial, d.boot), {})) for d in fleet.devices}


def replay(
    fleet: Fleet,
    broker_url: str,
    *,
    days: int,
    faults: Faults | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> FleetSummary:
    """So many days of history, acknowledged to the last sample."""
    with ConnectedFleet(fleet, broker_url, faults=faults, on_progress=on_progress) as connected:
        connected.replay(START + timedelta(days=days))
        return connected.summary()


def follow(fleet: Fleet, broker_url: str, clock: Clock, *, messages: int) -> FleetSummary:
    """So many messages as the clock goes, acknowledged."""
    with ConnectedFleet(fleet, broker_url) as connected:
        connected.follow(clock, limits=Limits(messages=messages))
        connected.wait_for_acks(10, at=clock.now())
        return connected.summary()


def test_history_arrives_whole_as_backfill_and_is_forgotten_once_acknowledged(
    broker_url: str, platform: PlayedPlatform
) -> None:
    fleet = build_fleet(FleetPlan(devices=6, seed=101, start=START, history_days=20))
    progress: list[Progress] = []
    summary = replay(fleet, broker_url, days=20, on_progress=progress.append)
    assert summary.acked == summary.samples > 0
    assert summary.unacked == summary.unsent == summary.dropped == 0
    assert all(len(device.outbox) == 0 for device in fleet.devices)
    for device in fleet.devices:
        assert _numbers(platform, fleet)[device.serial] == list(range(1, device.samples_measured + 1))
    channels = {topic.rsplit("/", 1)[1] for topic, _, _ in platform.messages}
    assert "backfill" in channels
    assert "telemetry" not in channels
    assert progress[-1].messages_published > 0


def test_live_samples_go_to_telemetry_one_at_a_time(broker_url: str, platform: PlayedPlatform) -> None:
    fleet = build_fleet(FleetPlan(devices=4, seed=102, start=START, history_days=1))
    clock = AcceleratedClock(START, SystemClock().now(), 200_000)
    summary = follow(fleet, broker_url, clock, messages=30)
    assert summary.messages_published == 30
    assert summary.unacked == 0
    live = [json.loads(payload) for topic, payload, _ in platform.messages if topic.endswith("/telemetry")]
    assert len(live) >= 25
    assert all("metrics" in payload for payload in live)


def test_history_then_live_leaves_no_hole_between_them(broker_url: str, platform: PlayedPlatform) -> None:
    fleet = build_fleet(FleetPlan(devices=3, seed=103, start=START, history_days=2))
    replay(fleet, broker_url, days=2)
    clock = AcceleratedClock(START + timedelta(days=2, hours=12), SystemClock().now(), 50_000)
    fleet.set_interval(timedelta(minutes=30))
    follow(fleet, broker_url, clock, messages=40)
    for device in fleet.devices:
        numbers = _numbers(platform, fleet)[device.serial]
        assert numbers == list(range(1, len(numbers) + 1))
        times = [platform.seen[device.serial, device.boot][seq].ts for seq in numbers]
        assert times == sorted(times)
        assert max(b - a for a, b in pairwise(times)) <= 3 * 3_600_000


def test_without_acknowledgements_nothing_is_forgotten(broker_url: str, platform: PlayedPlatform) -> None:
    platform.acking = False
    fleet = build_fleet(FleetPlan(devices=2, seed=104, start=START, history_days=5))
    with ConnectedFleet(fleet, broker_url) as run:
        run.replay(START + timedelta(days=5), most_unacked=None)
        unacked = run.wait_for_acks(0.3, at=START)
    platform.wait_until(lambda: sum(len(numbers) for numbers in _numbers(platform, fleet).values()) == unacked)
    assert unacked == sum(device.samples_measured for device in fleet.devices) > 0


def test_what_stays_unacknowledged_is_sent_again(broker_url: str, platform: PlayedPlatform) -> None:
    platform.acking = False
    fleet = build_fleet(FleetPlan(devices=1, seed=105, start=START, history_days=2))
    device = fleet.devices[0]
    stop = threading.Event()

    def replay() -> None:
        with ConnectedFleet(fleet, broker_url, stop=stop) as run:
            run.replay(START + timedelta(days=2), resend_after_s=0.2)

    thread = threading.Thread(target=replay)
    thread.start()
    topic = wire.build_topic(device.serial, "backfill")
    platform.wait_until(lambda: len(platform.payloads(topic)) >= 3)
    first, second = platform.payloads(topic)[:2]
    assert first == second
    platform.ack(device.serial, device.boot, device.samples_measured)
    thread.join(10)
    assert not thread.is_alive()
    assert len(device.outbox) == 0


def test_a_resend_command_is_answered_and_obeyed(broker_url: str, platform: PlayedPlatform) -> None:
    platform.acking = False
    fleet = build_fleet(FleetPlan(devices=2, seed=106, start=START, history_days=2))
    device = fleet.devices[0]
    with ConnectedFleet(fleet, broker_url) as run:
        run.replay(START + timedelta(days=2), most_unacked=None)
        command = wire.ResendCommand(id="c1", boot=device.boot, from_seq=3, to_seq=5)
        platform.tell(wire.build_topic(device.serial, "command"), command.model_dump_json(by_alias=True).encode())
        platform.tell(wire.build_topic(device.serial, "command"), b'{"type":"dance"}')
        run.wait_for_acks(1, at=START)
    platform.wait_until(lambda: bool(platform.payloads(wire.build_result_topic(device.serial, "c1"))))
    assert platform.payloads(wire.build_result_topic(device.serial, "c1")) == [
        {"status": "resending", "boot": device.boot, "from": 3, "to": 5}
    ]
    again = platform.payloads(wire.build_topic(device.serial, "backfill"))[-1]
    assert [sample["seq"] for sample in again["samples"]] == [3, 4, 5]


def test_devices_are_online_while_connected_and_offline_after(broker_url: str, platform: PlayedPlatform) -> None:
    fleet = build_fleet(FleetPlan(devices=3, seed=107, start=START, history_days=1))
    replay(fleet, broker_url, days=1)

    def told_twice(topic: str) -> bool:
        return len(platform.payloads(topic)) == 2

    for device in fleet.devices:
        topic = wire.build_topic(device.serial, "status")
        platform.wait_until(partial(told_twice, topic))
        assert platform.payloads(topic) == [
            {"state": "online", "session": device.boot},
            {"state": "offline", "session": device.boot},
        ]


def test_a_device_with_its_own_connection_has_a_last_will_and_sends_again_after_a_reconnect(
    broker_url: str, platform: PlayedPlatform
) -> None:
    platform.acking = False
    fleet = build_fleet(FleetPlan(devices=1, seed=108, start=START, history_days=3))
    device = fleet.devices[0]
    backfill, status = wire.build_topic(device.serial, "backfill"), wire.build_topic(device.serial, "status")
    stop = threading.Event()

    def live() -> None:
        with ConnectedFleet(fleet, broker_url, gateways=0, stop=stop) as run:
            run.replay(START + timedelta(days=3), most_unacked=None)
            run.follow(AcceleratedClock(START + timedelta(days=3), SystemClock().now(), 1))

    thread = threading.Thread(target=live)
    thread.start()
    platform.wait_until(lambda: len(platform.payloads(backfill)) == 1)
    _take_over_session(broker_url, device.serial)
    platform.wait_until(lambda: len(platform.payloads(backfill)) >= 2)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert platform.payloads(backfill)[0] == platform.payloads(backfill)[-1]
    states = [payload["state"] for payload in platform.payloads(status)]
    assert states[:3] == ["online", "offline", "online"]


def _take_over_session(url: str, client_id: str) -> None:
    """A broker ends a connection when another one comes with the same client id."""
    broker, connected = parse_broker_url(url), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
    client.on_connect = lambda *_: connected.set()
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert connected.wait(10)
    client.disconnect()
    client.loop_stop()


def test_faults_are_made_and_nothing_is_lost_by_them(broker_url: str, platform: PlayedPlatform) -> None:
    fleet = build_fleet(FleetPlan(devices=3, seed=109, start=START, history_days=10, samples_per_message=2))
    faults = Faults(duplicates=0.2, reordering=0.2, malformed=0.1)
    summary = replay(fleet, broker_url, days=10, faults=faults)
    assert all(count > 0 for count in summary.faults.values())
    assert summary.unacked == 0
    sent = [payload for topic, payload, _ in platform.messages if topic.endswith("/backfill")]
    broken = [payload for payload in sent if not payload.endswith(b"}")]
    assert len(broken) == summary.faults["malformed"]
    assert len(sent) == summary.messages_published + summary.faults["malformed"] + summary.faults["duplicates"]


def test_stopping_ends_a_run_at_once_and_leaves_no_thread(broker_url: str) -> None:
    before = threading.active_count()
    stop = threading.Event()
    options = SimulateOptions(broker_url, devices=5, rate=50, seed=110)
    run = threading.Thread(target=simulate, args=(options, SystemClock()), kwargs={"stop": stop})
    run.start()
    stop.set()
    run.join(5)
    assert not run.is_alive()
    assert threading.active_count() == before


def test_a_simulation_keeps_its_rate_and_counts_what_was_acknowledged(
    broker_url: str, platform: PlayedPlatform, tmp_path: Path
) -> None:
    report, manifest = tmp_path / "report.json", tmp_path / "devices.csv"
    options = SimulateOptions(
        broker_url, devices=10, rate=200, messages=100, seed=111, reports=[report], manifest=manifest
    )
    summary = simulate(options, SystemClock())
    assert summary.messages_published == summary.acked == 100
    assert 0.4 <= summary.seconds < 5
    assert json.loads(report.read_text())["messages_published"] == 100
    assert manifest.read_text().splitlines()[0] == "serial,model,region,customer,installed_at"
    live = [topic for topic, _, _ in platform.messages if topic.endswith("/telemetry")]
    assert len(live) == 100


def test_faults_of_devices_strike_a_plain_simulation_too(broker_url: str, platform: PlayedPlatform) -> None:
    rates = Faults(offline=1, clock_drift=1, boot_loops=0.5, chatty=0.3)
    options = SimulateOptions(broker_url, devices=4, rate=200, messages=800, speed=20_000, seed=113, faults=rates)
    summary = simulate(options, SystemClock())
    assert all(summary.faults.values())
    assert any(topic.endswith("/backfill") and "-113-" in topic for topic, _, _ in platform.messages)


def test_an_unpaced_simulation_without_a_platform_reports_what_nobody_acknowledged(
    broker_url: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    options = SimulateOptions(broker_url, devices=5, messages=500, seed=112, reports=[report], ack_wait_s=0.2)
    summary = simulate(options, SystemClock())
    assert (summary.messages_published, summary.acked, summary.unacked) == (500, 0, 500)
    suite = ET.parse(report).getroot()
    assert suite.get("failures") == "1"
    assert "found: 500" in str([failure.get("message") for failure in suite.iterfind("testcase/failure")])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rate": 0}, "above zero"),
        ({"speed": 0, "rate": 1}, "above zero"),
        ({"devices": 0}, "at least one device"),
        ({"devices": 1, "rate": 5000}, "need 11 devices"),
        ({"reports": [Path("report.txt")]}, "suffix .json"),
        ({"mix": {"reed-moon": 1}}, "no profile"),
    ],
)
def test_options_that_cannot_be_meant_get_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        simulate(SimulateOptions("mqtt://127.0.0.1:1", **options), SystemClock())


def test_a_broker_that_is_not_there_is_one_sentence_and_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(Unavailable, match=r"broker 127\.0\.0\.1:1 cannot be reached"):
        simulate(SimulateOptions("mqtt://127.0.0.1:1"), SystemClock())
    assert threading.active_count() == before


def test_an_address_that_is_none_does_not_tell_its_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        simulate(SimulateOptions("http://me:hunter2@host"), SystemClock())
    assert "hunter2" not in str(caught.value)
