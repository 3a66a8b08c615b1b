"""What a language's well-known properties are, where no profile says it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.nouns import Measure
from ingest.formats.vocabulary import Entry, Guess, find_entry, guess, load_vocabulary
from millpond.kernel.errors import InvalidInput

WORDS = """
hflr: {part: hepa, measure: percent_remaining, none: [INV]}
"ConsumableMonitoringCapability.*": {part: "*", measure: remaining, unit: s}
"filter.*.total": {metric: "*_total", part: filter, measure: capacity, unit: min}
temp: {unit: c, scale: 0.1}
hflt: {part: hepa, measure: identity}
replace: {part: hepa, measure: replace_flag, values: {replace: true, normal: false}}
fan: {}
"""


@pytest.fixture
def language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose module is a language, on the path."""
    folder = tmp_path / "acme_language"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "parse.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder / "vocabulary.yaml"
    for name in [name for name in sys.modules if name.startswith("acme_language")]:
        del sys.modules[name]
    load_vocabulary.cache_clear()


def test_each_value_that_is_known_and_there_is_guessed(language: Path) -> None:
    language.write_text(WORDS)
    said = {"hflr": "0100", "ConsumableMonitoringCapability.main-brush": 29520, "filter.air.total": 9000, "x": 1}
    said |= {"temp": 234, "hflt": 17, "replace": "replace", "fan": "auto"}
    assert list(guess(load_vocabulary("acme_language.parse"), said)) == [
        Guess("hflr", "hepa_percent_remaining", "hepa", Measure.PERCENT_REMAINING, "", 100),
        Guess(
            "ConsumableMonitoringCapability.main-brush",
            "main_brush_remaining",
            "main-brush",
            Measure.REMAINING,
            "s",
            29520,
        ),
        Guess("filter.air.total", "air_total", "filter", "capacity", "min", 9000),
        Guess("temp", "temp", "", None, "c", 23.4),
        Guess("hflt", "hepa_identity", "hepa", Measure.IDENTITY, "", "17"),
        Guess("replace", "hepa_replace_flag", "hepa", Measure.REPLACE_FLAG, "", True),
        Guess("fan", "fan", "", None, "", "auto"),
    ]


def test_what_stands_for_no_value_is_not_guessed(language: Path) -> None:
    language.write_text(WORDS)
    assert list(guess(load_vocabulary("acme_language.parse"), {"hflr": "INV", "hflt": None})) == []


def test_a_property_by_its_own_name_comes_before_one_with_a_star() -> None:
    vocabulary = {"*": Entry(part="any"), "hflr": Entry(part="hepa")}
    assert (find_entry(vocabulary, "hflr"), find_entry(vocabulary, "x")) == (Entry(part="hepa"), Entry(part="any"))


def test_a_language_without_a_vocabulary_has_no_words(language: Path) -> None:
    assert load_vocabulary("acme_language.parse") == {}
    assert load_vocabulary("") == {}


def test_a_mistake_in_a_vocabulary_names_the_file_and_the_place(language: Path) -> None:
    language.write_text("hflr: {part: hepa, meassure: state}")
    with pytest.raises(InvalidInput, match=r"acme_language/vocabulary\.yaml, hflr\.meassure: Extra inputs"):
        load_vocabulary("acme_language.parse")
