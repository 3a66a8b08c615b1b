"""The models that ship: each has what a forecast and a page need, and says where its numbers come from."""

from pathlib import Path

import pytest

from devices.nouns import Measure
from devices.parts.limits import COUNTS, FLAGS, PERCENTAGES
from devices.profile import CATEGORIES, DeviceProfile, shipped_consumables, shipped_profiles
from millpond.kernel.language import LANGUAGES

FOLDER = Path("devices/profiles")
PROFILES = shipped_profiles()
CONSUMABLES = {entry.consumable for entry in shipped_consumables()}
OURS = ("reed-", "generic-")
REAL = {model: profile for model, profile in PROFILES.items() if not model.startswith(OURS)}


def test_forty_real_models_ship() -> None:
    assert len(REAL) >= 40
    assert {profile.category for profile in PROFILES.values()} == set(CATEGORIES)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_model_has_what_a_forecast_and_a_page_need(profile: DeviceProfile) -> None:
    assert (FOLDER / f"{profile.model}.yaml").is_file()
    assert {language for language, name in profile.name.items() if name.strip()} == set(LANGUAGES)
    for part in profile.parts:
        assert part.consumable in CONSUMABLES
        assert 7 <= part.prior_life_days <= 3_650
        assert any(limit.measure in COUNTS + PERCENTAGES + FLAGS for limit in part.limits)
    spoken_of = {limit.metric: limit for part in profile.parts for limit in part.limits}
    for name, limit in spoken_of.items():
        metric = profile.metrics[name]
        if limit.measure in COUNTS + PERCENTAGES:
            assert metric.unit, name
            assert metric.min is not None, name
            assert metric.max is not None, name
        if limit.measure in (Measure.PERCENT_REMAINING, Measure.PERCENT_USED):
            assert (metric.unit, metric.max) == ("pct", 100), name


@pytest.mark.parametrize("profile", REAL.values(), ids=REAL)
def test_a_real_model_speaks_and_says_where_its_numbers_come_from(profile: DeviceProfile) -> None:
    assert profile.speaks
    assert profile.parts
    said = {spoken.metric for properties in profile.speaks.values() for spoken in properties.values()}
    assert [limit.metric for part in profile.parts for limit in part.limits if limit.metric not in said] == []
    first = (FOLDER / f"{profile.model}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")


def test_no_name_is_that_of_two_models() -> None:
    names = [name.casefold() for profile in PROFILES.values() for name in (profile.model, *profile.also)]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
