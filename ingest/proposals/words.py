"""Everyday words in the names of properties: which part, which measure, which unit they probably speak of."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from devices.nouns import Measure
from ingest.formats.everyday import split_words
from ingest.formats.vocabulary import Said
from millpond.kernel.yaml_file import Strict, read_yaml


class Words(Strict):
    """Words by what they speak of."""

    parts: dict[str, list[str]]
    measures: dict[Said, list[str]]
    units: dict[str, list[str]]
    passed_over: list[str]


@cache
def everyday_words() -> Words:
    """The words that come with Millpond."""
    text = (files("ingest.proposals") / "words.yaml").read_text(encoding="utf-8")
    return read_yaml(Words, text, "ingest/proposals/words.yaml")


def split(name: str) -> str:
    """A property's words in small letters, with `_` between and around them: `filterLife` is `_filter_life_`."""
    return "_" + "_".join(split_words(name)) + "_"


def find_part(name: str) -> str:
    """The part that a name speaks of, empty when it speaks of none."""
    return _find(everyday_words().parts, split(name)) or ""


def find_measure(name: str) -> Said | None:
    """How a name speaks of a part."""
    found = _find({str(key): words for key, words in everyday_words().measures.items()}, split(name))
    return None if found is None else Measure(found) if found in set(Measure) else "capacity"


def find_unit_in(name: str) -> str:
    """The unit that a name says, empty when it says none."""
    return _find(everyday_words().units, split(name)) or ""


def is_passed_over(name: str) -> bool:
    """Whether it is about the connection or the firmware, which nobody wants as a series."""
    return any(f"_{word}_" in split(name) for word in everyday_words().passed_over)


def _find(by_meaning: Mapping[str, Sequence[str]], name: str) -> str | None:
    return next((one for one, words in by_meaning.items() if any(f"_{word}_" in name for word in words)), None)
