"""Every shipped scenario, played in a short form at a real broker with the real ingest, database and API."""

import pytest
from real_platform import RealPlatform

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
