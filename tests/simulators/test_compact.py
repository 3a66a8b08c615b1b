"""Load without lives: what it says is real, it is fast and flat, and its limits are said clearly."""

import resource
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from devices.profile import shipped_profiles
from devices.wire import build_topic
from millpond.embedded.broker import embedded_broker
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.errors import InvalidInput, Unavailable
from simulators.runs.compact import CompactFleet
from simulators.runs.fleet import Fleet, FleetPlan, make_manifest
from simulators.scenarios.simulation import SimulateOptions, simulate
from simulators.wire.open_files import require_open_files
from simulators.wire.pace import Limits
from tests.simulators.played_platform import PlayedPlatform
from tests.simulators.real_platform import RealPlatform

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[str]:
    """A broker of the test's own: thousands of retained states would be in the way of others."""
    with embedded_broker(tmp_path) as url:
        yield url


def compact(url: str, devices: int, seed: int, *, connections: int = 8, start: datetime = START) -> CompactFleet:
    manifest = make_manifest(FleetPlan(history_days=0, devices=devices, seed=seed, start=start))
    return CompactFleet(
        manifest, shipped_profiles(), parse_broker_url(url), seed=seed, start=start, connections=connections
    )


def test_what_a_compact_fleet_says_is_stored_in_full(real_platform: RealPlatform) -> None:
    start = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    real_platform.register(
        Fleet(601, start, [], make_manifest(FleetPlan(history_days=0, devices=30, seed=601, start=start)))
    )
    before = real_platform.api.outcomes()
    with compact(real_platform.broker, 30, 601, connections=4, start=start) as load:
        load.publish(Limits(messages=600))
        assert load.wait_for_acks(20) == 0
        done = load.summary()
    after = real_platform.api.outcomes()
    assert (done.messages_published, done.acked) == (600, 600)
    assert after["stored"] - before["stored"] == done.readings > 2000
    assert after["quarantined"] == before["quarantined"]


def test_each_device_counts_for_itself_and_says_that_it_comes_and_goes(own_broker: str) -> None:
    platform = PlayedPlatform(own_broker)
    with compact(own_broker, 20, 602, connections=3) as load:
        load.publish(Limits(messages=200))
        assert load.wait_for_acks(10) == 0
    platform.wait_until(lambda: sum(topic.endswith("/status") for topic, _, _ in platform.messages) == 40)
    for held in platform.seen.values():
        assert sorted(held) == list(range(1, len(held) + 1))
    assert sorted({len(held) for held in platform.seen.values()}) in ([10], [9, 10], [10, 11], [9, 10, 11])
    platform.close()


def test_twenty_thousand_devices_over_four_connections_hold_no_more_memory_after_more_messages(own_broker: str) -> None:
    with compact(own_broker, 20_000, 603, connections=4) as load:
        load.publish(Limits(messages=40_000))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        load.publish(Limits(messages=80_000))
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        done = load.summary()
    assert (done.devices, done.messages_published) == (20_000, 120_000)
    assert max(load._seqs) - min(load._seqs) <= 2
    assert grown_mb < 8


def test_a_connection_for_each_device_has_a_will_and_its_loss_is_one_sentence(own_broker: str) -> None:
    platform = PlayedPlatform(own_broker)
    taken = make_manifest(FleetPlan(history_days=0, devices=50, seed=604, start=START))[7].serial
    with pytest.raises(Unavailable, match="ended the connection"):
        live_until_taken_over(own_broker, taken)
    will = (build_topic(taken, "status"), b"offline")
    platform.wait_until(lambda: any(topic == will[0] and will[1] in payload for topic, payload, _ in platform.messages))
    platform.close()


def live_until_taken_over(url: str, serial: str) -> None:
    with compact(url, 50, 604, connections=0) as load:
        load.publish(Limits(messages=100))
        assert Counter(load._seqs) == {2: 50}
        take_over(url, serial)
        load.publish(Limits(messages=10_000, rate=5_000))


def take_over(url: str, client_id: str) -> None:
    """A broker ends a connection when another one comes with the same client id."""
    broker, connected = parse_broker_url(url), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
    client.on_connect = lambda *_: connected.set()
    client.connect(broker.host, broker.port)
    client.loop_start()
    assert connected.wait(10)
    client.disconnect()
    client.loop_stop()


def test_the_machines_limit_of_connections_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(InvalidInput, match=r"5,000 connections need 5,064 open files, and this machine allows 4,096"):
        require_open_files(5000)


def test_the_limit_is_raised_as_far_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    require_open_files(500)
    require_open_files(2000)
    assert raised == [(2064, 4096)]


def test_a_large_fleet_is_compact_by_itself_and_keeps_its_rate(own_broker: str) -> None:
    options = SimulateOptions(own_broker, devices=6000, rate=2000, messages=1000, seed=605, ack_wait_s=0)
    done = simulate(options, SystemClock())
    assert (done.devices, done.messages_published) == (6000, 1000)
    assert 0.45 < done.seconds < 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"gateways": -1}, "from zero up"), ({"devices": 301, "gateways": 0}, "300 at most.*or use --compact")],
)
def test_connections_that_cannot_be_meant_get_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        simulate(SimulateOptions("mqtt://127.0.0.1:1", **options), SystemClock())
