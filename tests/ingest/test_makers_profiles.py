"""Profiles of real models: what the model says in its language becomes the readings that are meant."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from devices.nouns import MetricKind
from devices.profile import shipped_consumables, shipped_profiles
from ingest.formats.dry_run import make_registry
from ingest.formats.shipped import FORMATS
from ingest.formats.vocabulary import guess, load_vocabulary
from ingest.nouns import Delivery, Lane, Limits

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
FOLDER = Path(__file__).parent
SPOKEN: list[dict[str, Any]] = yaml.safe_load((FOLDER / "profiles.yaml").read_text(encoding="utf-8"))
EXAMPLES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "makers.yaml").read_text(encoding="utf-8"))
PROFILES = shipped_profiles()
LANGUAGES = sorted({one["format"] for one in EXAMPLES})


def deliver(language: str, payload: str) -> Delivery:
    return Delivery(f"millpond/v1/A-1/raw/{language}", payload.encode(), NOW, Lane.LIVE, 1, 1, 1)


@pytest.mark.parametrize("one", SPOKEN, ids=lambda one: f"{one['model']} in {one['format']}")
def test_a_real_model_is_read_by_its_profile(one: dict[str, Any]) -> None:
    profile, delivery = PROFILES[one["model"]], deliver(one["format"], one["payload"])
    registries = {one["format"]: make_registry(profile, one["format"], ["A-1"], NOW)}
    (decoded,) = FORMATS.decode(delivery, registries, LIMITS)
    names = list(profile.metrics)
    readings = [item.reading for item in decoded.readings]
    read = {names[each.metric_id]: each.state if each.value is None else each.value for each in readings}
    assert decoded.rejections == []
    assert read == one["reads"]


@pytest.mark.parametrize("one", [one for one in EXAMPLES if "guess" in one], ids=lambda one: one["name"])
def test_where_no_profile_is_known_the_language_says_what_a_value_is(one: dict[str, Any]) -> None:
    parser = import_module(f"ingest.formats.{one['format']}.parse")
    vocabulary = load_vocabulary(parser.__name__)
    sayings = parser.parse(deliver(one["format"], one["payload"]), {})
    guesses = [each for saying in sayings for each in guess(vocabulary, saying.values)]
    found = [[each.part, str(each.measure), each.value, each.unit] for each in guesses]
    assert [each for each in one["guess"] if each not in found] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_model_that_speaks_it(language: str) -> None:
    assert [profile.model for profile in PROFILES.values() if language in profile.speaks] != []


def test_what_a_profile_says_in_a_language_is_what_the_language_can_say() -> None:
    known = {language for profile in PROFILES.values() for language in profile.speaks}
    assert known <= set(FORMATS.names)


def test_every_part_of_a_real_model_has_a_product_and_a_property_that_speaks_of_it() -> None:
    sold = {consumable.consumable for consumable in shipped_consumables()}
    for profile in PROFILES.values():
        assert {part.consumable for part in profile.parts} <= sold
        said = {spoken.metric for properties in profile.speaks.values() for spoken in properties.values()}
        limits = {limit.metric for part in profile.parts for limit in part.limits}
        assert not profile.speaks or limits <= said, profile.model


def test_a_flag_is_a_boolean_and_an_identity_or_a_state_a_text() -> None:
    kinds = {"replace_flag": MetricKind.BOOLEAN, "identity": MetricKind.STATE, "state": MetricKind.STATE}
    for profile in PROFILES.values():
        for limit in (limit for part in profile.parts for limit in part.limits):
            assert profile.metrics[limit.metric].kind == kinds.get(limit.measure, MetricKind.NUMBER), profile.model


def test_forty_real_models_ship() -> None:
    assert len([profile for profile in PROFILES.values() if profile.speaks]) >= 40
