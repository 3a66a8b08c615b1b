"""A scenario's file: what may be in it, what is said when it may not, and the same bytes from the same seed."""

import json
import threading
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from millpond.kernel.clock import SystemClock
from millpond.kernel.errors import InvalidInput
from simulators.scenarios.play import PlayOptions, play_scenario
from simulators.scenarios.scenario import load_scenario, parse_scenario, scenario_schema
from tests.simulators.played_platform import PlayedPlatform
from tests.simulators.simulate_command import changed, run_cli

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_shipped_schema_is_that_of_the_models() -> None:
    shipped = json.loads((files("simulators") / "scenarios" / "schema.json").read_text())
    assert shipped == scenario_schema(), "renew it with .venv/bin/python scripts/schema"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"gremlins": 1}, "f.yaml, top level: there is no key 'gremlins'"),
        ({"expect": {"offers": 1}}, "f.yaml, expect: there is no key 'offers'"),
        ({"faults": {"gremlins": 1}}, "f.yaml, faults: fault 'gremlins' does not exist: choose from boot_loops"),
        ({"faults": {"nan": -0.1}}, "f.yaml, faults.nan: Input should be greater than or equal to 0"),
        ({"faults": {"nan": float("nan")}}, "f.yaml, faults.nan: Input should be"),
        ({"models": {"reed-moon": 1}}, "f.yaml, models: model 'reed-moon' does not exist: choose from "),
        ({"models": {}}, "f.yaml, models: Dictionary should have at least 1 item"),
        ({"regions": ["atlantis"]}, "f.yaml, regions: region 'atlantis' does not exist"),
        ({"duration": "forever"}, "f.yaml, duration: 'forever' is none of 90, 90s, 15m, 2h, 1d"),
        ({"interval": 0}, "f.yaml, interval: it needs a second at least"),
        ({"speed": -1}, "f.yaml, speed: Input should be greater than 0"),
        ({"start": "2026-01-01T00:00:00"}, "f.yaml, start: Input should have timezone info"),
        ({"households": {"habits": {"late": 0}}}, "f.yaml, households.habits: at least one habit needs a weight"),
    ],
)
def test_a_scenario_that_cannot_be_meant_gets_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_scenario(changed(**change), "f.yaml")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_what_is_no_yaml_gets_one_sentence_too() -> None:
    with pytest.raises(InvalidInput, match=r"^f\.yaml is not YAML: [^\n]+$"):
        parse_scenario("models: [", "f.yaml")


def test_a_name_that_is_no_scenario_is_told_which_are() -> None:
    with pytest.raises(InvalidInput, match=r"neither a \.yaml file nor one of bad-firmware, bad-network"):
        load_scenario("a-quiet-sea")


def test_a_bad_file_exits_with_2_and_a_broker_that_refuses_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = threading.active_count()
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text(changed(models={"reed-moon": 1}))
    good.write_text(changed())
    assert run_cli(monkeypatch, "--scenario", str(bad), "--broker", "mqtt://127.0.0.1:1") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run_cli(monkeypatch, "--scenario", str(good), "--broker", "mqtt://127.0.0.1:1") == 1
    assert "millpond: broker 127.0.0.1:1 cannot be reached" in capsys.readouterr().err
    assert run_cli(monkeypatch, "--scenario", "quiet-city", "--devices", "5") == 2
    assert threading.active_count() == threads


def test_without_the_platform_what_only_it_knows_is_not_called_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broker_url: str, platform: PlayedPlatform
) -> None:
    file, junit, report = tmp_path / "own.yaml", tmp_path / "report.xml", tmp_path / "report.json"
    file.write_text(changed(seed=301, expect={"readings_lost": 0, "samples_at_least": 12, "offers_at_least": 1}))
    call = ["--scenario", str(file), "--broker", broker_url, "--report"]
    assert run_cli(monkeypatch, *call, str(junit), "--report", str(report)) == 0
    outcomes = [case["outcome"] for case in json.loads(report.read_text())["expectations"]]
    assert outcomes == ["passed", "passed", "not checked"]
    suite = ET.parse(junit).getroot()
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["3", "0", "1"]
    skipped = [case.get("name") for case in suite.iter("testcase") if case.find("skipped") is not None]
    assert skipped == ["offers_at_least"]
    file.write_text(changed(seed=302, expect={"samples_at_least": 13}))
    assert run_cli(monkeypatch, *call, str(report)) == 1
    [case] = json.loads(report.read_text())["expectations"]
    assert case == {"name": "samples_at_least", "expected": "at least 13", "outcome": "failed", "found": "12"}


def test_a_scenario_at_a_speed_of_its_own_is_live_and_ends_where_it_should(
    broker_url: str, platform: PlayedPlatform
) -> None:
    text = changed(seed=306, duration="2h", interval="1m", speed=7200, start=START.isoformat())
    played = play_scenario(parse_scenario(text, "f"), Path(), PlayOptions(broker_url), SystemClock(), at=START)
    assert (played.summary.samples, played.summary.unacked) == (240, 0)
    assert 0.9 < played.summary.seconds < 10
    topics = {topic.rsplit("/", 1)[1] for topic, _, _ in platform.messages if "-306-" in topic}
    assert "telemetry" in topics
    assert "backfill" not in topics


def play_and_record(broker_url: str, seed: int) -> list[tuple[str, bytes]]:
    scenario = parse_scenario(
        changed(
            seed=seed,
            start=START.isoformat(),
            duration="2d",
            live="1d",
            models={"reed-air-2": 3, "reed-tv-43": 2, "reed-vac-s": 1},
            faults={
                "duplicates": 0.2,
                "reordering": 0.2,
                "corrupt": 0.1,
                "nan": 0.1,
                "boot_loops": 0.4,
                "reseated": 0.05,
                "clock_drift": 0.3,
                "offline": 0.3,
            },
        ),
        "bytes.yaml",
    )
    recorder = PlayedPlatform(broker_url)
    summary = play_scenario(scenario, Path(), PlayOptions(broker_url), SystemClock(), at=START).summary
    copies = sum(summary.faults[fault] for fault in ("duplicates", "corrupt", "nan"))

    def said() -> list[tuple[str, bytes]]:
        channels = ("telemetry", "backfill")
        return [(topic, payload) for topic, payload, _ in recorder.messages if topic.split("/")[3] in channels]

    recorder.wait_until(lambda: len(said()) >= summary.messages_published + copies)
    recorder.close()
    assert all(summary.faults.values())
    return said()


def test_the_same_seed_and_start_give_the_same_bytes_in_the_same_order(broker_url: str) -> None:
    first, again, other = (play_and_record(broker_url, seed) for seed in (303, 303, 304))
    assert len(first) > 100
    assert first == again
    assert [payload for _, payload in first] != [payload for _, payload in other]
