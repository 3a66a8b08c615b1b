"""What a simulated device says on the wire, and what it does when it is spoken to."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devices import wire
from devices.profile import shipped_profiles
from devices.wire_time import parse_ts
from millpond.kernel.errors import Conflict
from simulators.life.climate import REGIONS
from simulators.life.households import make_household
from simulators.wire.device import PAYLOAD_MAX_BYTES, SimulatedDevice, parse_ack, parse_command
from simulators.wire.faults import Faults
from simulators.wire.faults.in_device import DeviceFaults, Stretch
from simulators.wire.message import Message
from simulators.wire.outbox import Outbox

START = datetime(2025, 9, 1, tzinfo=UTC)


def _device(boot: str = "7f3c", **options: Any) -> SimulatedDevice:
    home = make_household("home", REGIONS["seoul"], 1)
    options = {"installed_at": START} | options
    return SimulatedDevice("A-1", shipped_profiles()["reed-air-2"], home, 1, boot, **options)


def _drain(device: SimulatedDevice, live_since: datetime | None = None) -> list[Message]:
    messages = []
    while message := device.next_message(live_since):
        messages.append(message)
    return messages


def _resend(boot: str, first: int, last: int) -> wire.ResendCommand:
    return wire.ResendCommand(id="c", boot=boot, from_seq=first, to_seq=last)


def test_stored_samples_go_to_backfill_many_at_a_time() -> None:
    device = _device()
    assert device.advance(START + timedelta(days=10)) == 80
    messages = _drain(device)
    assert [message.samples for message in messages] == [48, 32]
    assert {message.topic for message in messages} == {"millpond/v1/A-1/backfill"}
    telemetry = wire.parse_message(wire.parse_json(messages[0].payload))
    samples = [wire.parse_sample(sample) for sample in telemetry.samples]
    assert telemetry.boot == "7f3c"
    assert [sample.seq for sample in samples] == list(range(1, 49))
    assert samples[0].metrics.keys() == shipped_profiles()["reed-air-2"].metrics.keys()
    first_at = parse_ts(samples[0].ts)
    assert first_at is not None
    assert START <= first_at < START + timedelta(hours=3)


def test_what_is_measured_after_the_live_edge_goes_to_telemetry_alone() -> None:
    device = _device()
    device.advance(START + timedelta(days=1))
    messages = _drain(device, live_since=START + timedelta(hours=12))
    assert [(message.topic.rsplit("/", 1)[1], message.samples) for message in messages] == [
        ("backfill", 4),
        *[("telemetry", 1)] * 4,
    ]
    assert json.loads(messages[-1].payload)["seq"] == 8


def test_no_payload_is_larger_than_the_platform_takes() -> None:
    device = _device(samples_per_message=10_000, interval=timedelta(minutes=5))
    device.advance(START + timedelta(days=30))
    messages = _drain(device)
    assert len(messages) > 1
    assert sum(message.samples for message in messages) == 30 * 288
    assert all(len(message.payload) < PAYLOAD_MAX_BYTES for message in messages)


def test_steps_of_any_size_give_the_same_bytes() -> None:
    at_once, in_steps = _device(), _device()
    at_once.advance(START + timedelta(days=40))
    for hours in range(0, 40 * 24 + 1, 7):
        in_steps.advance(START + timedelta(hours=hours))
    in_steps.advance(START + timedelta(days=40))
    assert _drain(at_once) == _drain(in_steps)


@pytest.mark.parametrize("hours_before", [0, 10, 24, 1000])
def test_preparing_changes_no_byte(hours_before: int) -> None:
    reports_from = START + timedelta(hours=hours_before)
    plain, prepared = _device(reports_from=reports_from), _device(reports_from=reports_from)
    prepared.prepare()
    for device in (plain, prepared):
        device.advance(reports_from + timedelta(days=3))
    assert _drain(plain) == _drain(prepared)


def test_an_interval_of_fractions_of_a_second_gives_every_sample_its_own_time() -> None:
    device = _device(interval=timedelta(microseconds=3333))
    assert device.advance(START + timedelta(seconds=1)) == pytest.approx(300, abs=1)
    times = [json.loads(message.payload)["ts"] for message in _drain(device, live_since=START)]
    assert len(set(times)) == len(times)


def test_a_part_that_was_used_before_reporting_began_is_partly_used() -> None:
    device = _device(reports_from=START + timedelta(days=60))
    device.advance(START + timedelta(days=61))
    first = json.loads(_drain(device)[0].payload)["samples"][0]
    assert first["metrics"]["filter_used_h"] > 600
    assert first["seq"] == 1


def test_a_resend_of_what_is_held_is_announced_and_obeyed() -> None:
    device = _device(samples_per_message=2)
    device.advance(START + timedelta(days=1))
    _drain(device)
    answer, *again = device.on_command(_resend("7f3c", 2, 4))
    assert answer.topic == "millpond/v1/A-1/command/c/result"
    assert json.loads(answer.payload) == {"status": "resending", "boot": "7f3c", "from": 2, "to": 4}
    assert [message.samples for message in again] == [2, 1]


def test_a_resend_of_what_was_forgotten_is_gone() -> None:
    device = _device()
    device.advance(START + timedelta(days=1))
    device.on_ack("7f3c", 5)
    [gone] = device.on_command(_resend("7f3c", 1, 5))
    [unknown] = device.on_command(_resend("beef", 1, 2**64 - 1))
    assert json.loads(gone.payload) == {"status": "gone", "boot": "7f3c", "from": 1, "to": 5}
    assert json.loads(unknown.payload)["status"] == "gone"


def test_a_resend_of_which_only_the_end_is_held_tells_both_ranges() -> None:
    device = _device()
    device.advance(START + timedelta(days=1))
    device.on_ack("7f3c", 5)
    answers = device.on_command(_resend("7f3c", 3, 2**64 - 1))
    told = [wire.ResendResult.model_validate_json(answer.payload) for answer in answers[:2]]
    assert [(result.status, result.from_seq, result.to_seq) for result in told] == [("gone", 3, 5), ("resending", 6, 8)]
    assert answers[2].samples == 3


def test_a_restarted_device_sends_its_old_boot_first_and_needs_a_new_one(tmp_path: Path) -> None:
    device = _device(outbox=Outbox(tmp_path / "outbox"))
    device.advance(START + timedelta(days=1))
    sent = _drain(device)
    device.outbox.close()
    with pytest.raises(Conflict):
        _device(outbox=Outbox(tmp_path / "outbox"))
    restarted = _device("7f3d", outbox=Outbox(tmp_path / "outbox"), reports_from=START + timedelta(days=1))
    restarted.advance(START + timedelta(days=2))
    old, new = _drain(restarted)
    assert old == sent[0]
    assert json.loads(new.payload)["boot"] == "7f3d"
    assert json.loads(new.payload)["samples"][0]["seq"] == 1


def test_status_is_retained_and_names_the_boot() -> None:
    message = _device().status("online")
    assert message.retain
    assert json.loads(message.payload) == {"state": "online", "session": "7f3c"}


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"boot":1}', b'{"type":"reboot","id":"x"}'])
def test_nonsense_is_neither_an_acknowledgement_nor_a_command(payload: bytes) -> None:
    assert parse_ack(payload) is None
    assert parse_command(payload) is None


@pytest.mark.parametrize(
    "change", [{"id": "a/b"}, {"id": "+"}, {"id": ""}, {"from": 5, "to": 4}, {"from": -1}, {"to": 2**64}, {"boot": ""}]
)
def test_a_command_that_could_not_be_answered_is_ignored(change: dict[str, object]) -> None:
    command = {"id": "c", "type": "resend", "boot": "b", "from": 1, "to": 2}
    assert parse_command(json.dumps(command).encode()) is not None
    assert parse_command(json.dumps(command | change).encode()) is None


def test_a_device_without_a_clock_says_for_how_long_it_was_on_at_each_sample_and_is_as_it_sends() -> None:
    stretch = Stretch(0, 10**13)
    for rates in (Faults(clock_missing=1), Faults(clock_missing=1, boot_loops=1)):
        faults = DeviceFaults(rates, 1, shipped_profiles()["reed-air-2"], "A-1", 0, stretch)
        device = _device(faults=faults, samples_per_message=5)
        measured = device.advance(START + timedelta(days=3))
        began: dict[str, set[float]] = {}
        seen = 0
        for payload in (json.loads(message.payload) for message in _drain(device)):
            boot, samples = payload["boot"], payload.get("samples", [payload])
            for one in samples:
                [stored] = device.outbox.samples(boot, one["seq"], one["seq"])
                began.setdefault(boot, set()).add(stored.ts_ms / 1000 - one["uptime_s"])
                assert "ts" not in one
            says_when_sent = "samples" in payload and "uptime_s" in payload
            assert says_when_sent is (boot == device.boot)
            if says_when_sent:
                began[boot].add((START + timedelta(days=3)).timestamp() - payload["uptime_s"])
            seen += len(samples)
        assert faults.struck["clock_missing"] == measured == seen
        assert all(max(moments) - min(moments) < 0.01 for moments in began.values())
        assert (len(began) > 1) is bool(rates.boot_loops)
