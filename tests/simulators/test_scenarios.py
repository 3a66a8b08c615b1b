"""Every shipped scenario, played in a short form at a real broker with the real ingest, database and API."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from devices.registry import register_device
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect
from simulators.scenarios.play import build_scenario_fleet
from simulators.scenarios.scenario import load_scenario, shipped_scenarios
from tests.simulators.real_platform import RealPlatform
from tests.simulators.simulate_command import changed, run_cli

SHORT = {
    "quiet-city": 0.05,
    "dirty-spring": 0.1,
    "bad-network": 0.4,
    "offline-hours": 0.5,
    "broken-clocks": 0.3,
    "restless-devices": 0.3,
    "bad-firmware": 0.3,
    "restless-counters": 0.2,
    "changing-lives": 0.7,
    "due-soon": 1.0,
}


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_keeps_what_it_promises_by_the_book(
    name: str, real_platform: RealPlatform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    monkeypatch.setenv("MILLPOND_DATABASE_URL", real_platform.dsn)
    call = ["--scenario", name, "--broker", real_platform.broker, "--api", real_platform.address, "--patience", "5"]
    by_the_book = [*call, "--token", real_platform.token, "--register", "--jobs", "--report", str(report)]
    code = run_cli(monkeypatch, *by_the_book, "--scale", str(SHORT[name]))
    told = json.loads(report.read_text())
    assert [verdict for verdict in told["expectations"] if verdict["outcome"] != "passed"] == []
    assert (code, told["items_quarantined"]) == (0, 0)
    assert len(told["expectations"]) >= 3


def test_what_was_acknowledged_and_lies_in_quarantine_did_not_arrive(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real_platform: RealPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    api = ["--broker", real_platform.broker, "--api", real_platform.address, "--token", real_platform.token]
    report = tmp_path / "report.json"
    file = tmp_path / "own.yaml"
    file.write_text(changed(seed=306, expect={"readings_lost": 0}))
    # The platform takes these for another model without such metrics: all is acknowledged, and lies in quarantine.
    scenario, folder = load_scenario(str(file))
    fleet = build_scenario_fleet(scenario, folder, SystemClock().now())
    with connect(real_platform.dsn) as conn:
        for row in fleet.manifest:
            at = row.installed_at
            register_device(conn, serial=row.serial, model="reed-tv-55", customer_id=None, installed_at=at, at=at)
    assert run_cli(monkeypatch, "--scenario", str(file), *api, "--patience", "2", "--report", str(report)) == 1
    told = json.loads(report.read_text())
    assert told["unacked"] == 0 < told["items_quarantined"]
    [lost] = told["expectations"]
    count = f"{told['items_quarantined']:,}"
    assert (lost["outcome"], lost["found"]) == ("failed", f"{count}, {count} of them in quarantine")
    # Nobody registered these: a message of an unknown serial is one item.
    plain = ["--devices", "2", "--messages", "6", "--seed", "307", *api]
    assert run_cli(monkeypatch, *plain, "--report", str(report)) == 1
    assert "6 items of it lie in the platform's quarantine: they did not arrive" in capsys.readouterr().out
    assert json.loads(report.read_text())["expectations"][-1]["outcome"] == "failed"
    assert run_cli(monkeypatch, *plain[:6], *api[:2], "--report", str(report)) == 0
    assert json.loads(report.read_text())["expectations"][-1]["outcome"] == "not checked"


def test_a_scenarios_time_is_its_own_and_the_command_lines_is_real(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--stop-after", "--duration"):
        assert run_cli(monkeypatch, "--scenario", "quiet-city", "--broker", "mqtt://127.0.0.1:1", option, "5s") == 2
        assert "is real time, and a scenario's `duration` the fleet's own" in capsys.readouterr().err


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
