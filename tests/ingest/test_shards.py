"""Several ingests on one broker, each with its share of the serials: everything once, and nobody missing unnoticed."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devices.registry import register_device
from ingest.broker.shards import shard_key
from ingest.health import beat, check_health
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import Settings
from millpond.kernel.shard import Shard, all_names
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

AT = datetime(2025, 1, 1, tzinfo=UTC)
DEVICES, SAMPLES = 6, 5


def payload(seq: int) -> str:
    return json.dumps({"boot": "b", "seq": seq, "ts": 1_771_234_567_000 + seq * 60_000, "metrics": {"fan_level": 3}})


def of_shard(settings: Settings, shard: str) -> Settings:
    return settings.model_copy(update={"shard": shard, "clock_past_days": 36_500.0})


@pytest.fixture
def fleet(database: str, broker_url: str) -> Iterator[list[TestDevice]]:
    """Devices of which each shard of two has some."""
    serials = [f"T-{uuid.uuid4().hex[:12]}-{number}" for number in range(DEVICES)]
    while len({Shard(1, 2).takes(shard_key(f"millpond/v1/{serial}/telemetry")) for serial in serials}) < 2:
        serials[0] = f"T-{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:
        with connect(database) as conn:
            for serial in serials:
                register_device(conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)
        devices = [TestDevice(broker_url, serial) for serial in serials]
        for device in devices:
            stack.callback(device.close)
        yield devices


def test_two_ingests_store_each_message_once(settings: Settings, fleet: list[TestDevice], database: str) -> None:
    first, second = of_shard(settings, "1/2"), of_shard(settings, "2/2")
    with running_ingest(first) as one, running_ingest(second) as other:
        wait_until(lambda: one.subscribed and other.subscribed, "both subscriptions")
        for seq in range(1, SAMPLES + 1):
            for device in fleet:
                device.publish(payload(seq))
        for device in fleet:
            device.wait_for_ack(SAMPLES)
    stored = fetch(database, "select consumer, sum(stored), sum(duplicate) from ingest_minute group by 1 order by 1")
    assert [(consumer, duplicate) for consumer, _, duplicate in stored] == [
        (f"{settings.consumer_id}-1-of-2", 0),
        (f"{settings.consumer_id}-2-of-2", 0),
    ]
    assert fetch(database, "select count(*) from reading") == [(DEVICES * SAMPLES,)]


def test_what_came_for_a_shard_that_was_away_is_stored_on_its_return(
    settings: Settings, fleet: list[TestDevice], database: str
) -> None:
    first, second = of_shard(settings, "1/2"), of_shard(settings, "2/2")
    with running_ingest(second) as known:
        wait_until(lambda: known.subscribed, "the broker to keep what comes")
    with running_ingest(first) as alone:
        wait_until(lambda: alone.subscribed, "the subscription")
        for device in fleet:
            device.publish(payload(1))
        of_first = sum(Shard(1, 2).takes(shard_key(f"millpond/v1/{device.serial}/telemetry")) for device in fleet)
        wait_until(lambda: fetch(database, "select count(*) from reading") == [(of_first,)], "the share of the first")
        with running_ingest(second):
            for device in fleet:
                device.wait_for_ack(1)
    assert fetch(database, "select count(*) from reading") == [(DEVICES,)]


@given(
    serial=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/+#\x00"), min_size=1),
    of=st.integers(1, 256),
)
def test_every_serial_is_of_exactly_one_shard_whatever_it_sends(serial: str, of: int) -> None:
    takes = [
        [number for number in range(1, of + 1) if Shard(number, of).takes(shard_key(f"millpond/v1/{serial}/{rest}"))]
        for rest in ("telemetry", "backfill", "status", "command/7/result", "raw/miot")
    ]
    assert len(takes[0]) == 1
    assert all(one == takes[0] for one in takes)


@pytest.mark.parametrize(
    ("topic", "key"),
    [
        ("millpond/v1/AIR-7/telemetry", "millpond/v1/AIR-7"),
        ("zigbee2mqtt/living room", "zigbee2mqtt/living room"),
        ("tele/plug/SENSOR", "tele/plug"),
        ("spBv1.0/plant/DDATA/edge/device", "spBv1.0/plant"),
        ("alone", "alone"),
        ("", ""),
    ],
)
def test_the_beginning_of_a_topic_says_whose_it_is(topic: str, key: str) -> None:
    assert shard_key(topic) == key


def test_a_shard_is_the_same_today_and_tomorrow() -> None:
    keys = [f"millpond/v1/AIR-{number}" for number in range(8)]
    assert [next(n for n in (1, 2, 3) if Shard(n, 3).takes(key)) for key in keys] == [2, 3, 1, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "1/257", "-1/2", "1/2 ", ""])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="K-th of N"):
        Settings(shard=text)


def test_the_parts_of_a_whole_know_each_other() -> None:
    assert Settings(consumer_id="c").consumer == "c"
    assert Settings(consumer_id="c", shard="2/3").consumer == "c-2-of-3"
    assert all_names("c-2-of-3") == ["c-1-of-3", "c-2-of-3", "c-3-of-3"]
    assert all_names("c") == ["c"]


def say_alive(conn: WriteConnection, name: str, *, connected: bool = True) -> None:
    beat(conn, name, epoch=1, connected=connected, in_flight=0, lag_s=0.5)


def test_a_shard_that_is_missing_silent_or_away_is_told_of(conn: WriteConnection) -> None:
    say_alive(conn, "c-1-of-2")
    assert "c-2-of-2 has never run" in check_health(conn, 4).sentence
    say_alive(conn, "c-2-of-2", connected=False)
    say_alive(conn, "c-1-of-2")
    assert check_health(conn, 4).sentence == "c-2-of-2 runs, but is not connected to its broker"
    say_alive(conn, "c-2-of-2")
    assert check_health(conn, 4).sentence == "all 2 ingests are connected, messages wait 0.5 s at most"
    conn.execute("update ingest_consumer set beat_at = beat_at - interval '9 s' where consumer = 'c-1-of-2'")
    health = check_health(conn, 4)
    assert "c-1-of-2 gave no sign of life for" in health.sentence
    assert health.change is not None
