"""A fleet follows from its seed; faults follow from theirs."""

import csv
import hashlib
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from millpond.kernel.errors import InvalidInput
from simulators.runs.fleet import DEFAULT_MIX, Fleet, FleetPlan, build_fleet, parse_mix
from simulators.wire.faults import FaultInjector, Faults, parse_faults
from simulators.wire.message import Message

START = datetime(2025, 9, 1, tzinfo=UTC)


def _digest(fleet: Fleet, days: int) -> str:
    digest = hashlib.sha256()
    for device in fleet.devices:
        device.advance(START + timedelta(days=days))
        while message := device.next_message(None):
            digest.update(message.topic.encode() + b"\n" + message.payload + b"\n")
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first, again, other = (_digest(build_fleet(FleetPlan(devices=8, seed=seed, start=START)), 30) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_sixty_devices_and_half_a_year_take_less_than_ten_seconds_of_cpu() -> None:
    began = time.process_time()
    _digest(build_fleet(FleetPlan(seed=7, start=START)), 180)
    assert time.process_time() - began < 10


def test_the_default_fleet_has_every_model_of_its_mix_and_gives_no_household_two_of_one() -> None:
    fleet = build_fleet(FleetPlan(seed=1, start=START))
    assert {row.model for row in fleet.manifest} == set(DEFAULT_MIX)
    assert max(Counter((row.customer, row.model) for row in fleet.manifest).values()) == 1
    assert max(Counter(row.customer for row in fleet.manifest).values()) <= 3
    assert len({row.serial for row in fleet.manifest}) == 60


def test_some_televisions_are_new_at_the_end_of_the_history() -> None:
    fleet = build_fleet(FleetPlan(seed=1, start=START, history_days=180))
    end = START + timedelta(days=180)
    ages = [(end - row.installed_at).days for row in fleet.manifest if "tv" in row.model]
    assert sum(age < 25 for age in ages) >= 3
    assert sum(age > 100 for age in ages) >= 3


def test_a_long_history_has_whole_cycles_and_ends_with_parts_close_to_ten_percent() -> None:
    fleet, end = build_fleet(FleetPlan(seed=1, start=START)), START + timedelta(days=180)
    for device in fleet.devices:
        device.advance(end + timedelta(days=60))
    cycles = [cycle for device in fleet.devices for cycle in device.truth(end + timedelta(days=60))]
    replaced = [c for c in cycles if c.replaced_at and START < c.replaced_at < end]
    soon = [c for c in cycles if c.threshold_at and end - timedelta(days=7) < c.threshold_at < end + timedelta(days=14)]
    assert len(replaced) >= 20
    assert len(soon) >= 2


def test_a_mix_is_kept_by_largest_remainder() -> None:
    fleet = build_fleet(FleetPlan(devices=10, seed=1, start=START, mix=parse_mix("reed-air-2=3, reed-tv-43")))
    assert Counter(row.model for row in fleet.manifest) == {"reed-air-2": 8, "reed-tv-43": 2}


@pytest.mark.parametrize(
    ("mix", "sentence"),
    [
        ("reed-moon=1", "no profile"),
        ("reed-air-2=many", "needs a number"),
        ("reed-air-2=-1", "above zero"),
        ("", "one model"),
    ],
)
def test_a_mix_that_cannot_be_meant_gets_one_sentence(mix: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        build_fleet(FleetPlan(devices=2, seed=1, start=START, mix=parse_mix(mix)))


def test_the_manifest_is_the_csv_that_import_reads(tmp_path: Path) -> None:
    fleet = build_fleet(FleetPlan(devices=3, seed=1, start=START))
    fleet.write_manifest(tmp_path / "devices.csv")
    with (tmp_path / "devices.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["serial"] for row in rows] == [device.serial for device in fleet.devices]
    assert list(rows[0]) == ["serial", "model", "region", "customer", "installed_at"]
    assert datetime.fromisoformat(rows[0]["installed_at"]).tzinfo is not None


def test_faults_are_read_from_their_text() -> None:
    assert parse_faults("duplicates=0.01, malformed=0.001") == Faults(duplicates=0.01, malformed=0.001)
    assert parse_faults("") == Faults()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gremlins=1", "fault 'gremlins' is not known: choose from duplicates, reordering, malformed"),
        ("duplicates", "needs a rate from 0 to 1"),
        ("duplicates=nan", "needs a rate from 0 to 1"),
        ("reordering=2", "needs a rate from 0 to 1"),
    ],
)
def test_faults_that_cannot_be_meant_get_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        parse_faults(text)


def _through(faults: Faults, count: int = 400) -> tuple[list[bytes], FaultInjector]:
    injector = FaultInjector(faults, seed=1)
    sent = [m.payload for n in range(count) for m in injector.apply(Message("t", b'{"n":%d}' % n))]
    return sent + [m.payload for m in injector.release()], injector


def test_a_reordered_message_comes_after_the_next_and_none_is_lost() -> None:
    sent, injector = _through(Faults(reordering=0.1))
    numbers = [int(payload[5:-1]) for payload in sent]
    assert sorted(numbers) == list(range(400))
    assert numbers != sorted(numbers)
    assert 20 < injector.struck["reordering"] < 70


def test_duplicates_and_broken_copies_come_on_top_of_the_good_messages() -> None:
    sent, injector = _through(Faults(duplicates=0.1, malformed=0.1))
    good = Counter(payload for payload in sent if payload.endswith(b"}"))
    assert len(good) == 400
    assert sum(good.values()) == 400 + injector.struck["duplicates"]
    assert len(sent) == sum(good.values()) + injector.struck["malformed"]
