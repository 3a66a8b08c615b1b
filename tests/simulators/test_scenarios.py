"""Every shipped scenario, played in a short form at a real broker with the real ingest, database and API."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from real_platform import RealPlatform
from simulate_command import changed, run_cli

from simulators.expectations import Outcome
from simulators.scenario import load_scenario, shipped_scenarios

SHORT = {
    "quiet-city": 0.05, "dirty-spring": 0.1, "bad-network": 0.4, "offline-hours": 0.5, "broken-clocks": 0.3,
    "restless-devices": 0.3, "bad-firmware": 0.3, "restless-counters": 0.2, "changing-lives": 0.7, "due-soon": 1.0,
}  # fmt: skip
WITH_JOBS = ("restless-counters", "changing-lives", "due-soon")


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_keeps_what_it_promises(name: str, real_platform: RealPlatform) -> None:
    scenario, folder = load_scenario(name)
    played = real_platform.play(scenario.shortened(SHORT[name]), folder, jobs=name in WITH_JOBS)
    assert [verdict for verdict in played.verdicts if verdict.outcome is not Outcome.PASSED] == []
    assert len(played.verdicts) >= 3


def test_ten_scenarios_ship_and_each_says_what_it_shows() -> None:
    shown = [load_scenario(name)[0].shows for name in shipped_scenarios()]
    assert len(set(shown)) == len(SHORT) == 10
    assert all(sentence.endswith(".") and 40 < len(sentence) < 140 for sentence in shown)


def test_the_platform_is_asked_for_what_only_it_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real_platform: RealPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    file, report = tmp_path / "own.yaml", tmp_path / "report.xml"
    bounds = {"readings_stored_at_least": 60, "quarantined_at_most": 0, "replacements_false": 0, "readings_lost": 0}
    file.write_text(changed(seed=305, models={"reed-air-2": 2, "reed-tv-43": 1}, expect=bounds))
    call = ["--scenario", str(file), "--broker", real_platform.broker, "--api", real_platform.address]
    token = ["--token", real_platform.token]
    assert run_cli(monkeypatch, *call, *token, "--register", "--report", str(report)) == 0
    assert [ET.parse(report).getroot().get(name) for name in ("tests", "failures", "skipped")] == ["4", "0", "0"]
    assert capsys.readouterr().out.count("passed") == 4
    assert run_cli(monkeypatch, *call, "--token", "nonsense") == 1
    assert re.search(r"the platform answered .* with 401: ", capsys.readouterr().err)
    assert run_cli(monkeypatch, *call[:4], "--api", "http://127.0.0.1:1", "--token", "t") == 1
    assert "the platform at http://127.0.0.1:1 cannot be asked" in capsys.readouterr().err
