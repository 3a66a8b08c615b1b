"""Everyday words in properties' names, for languages in which whoever builds a device calls things as he likes."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from devices.nouns import Measure
from millpond.kernel.yaml_file import Strict, read_yaml

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAME_MAX = 256


class Phrase(Strict):
    """What words say of a part."""

    words: list[str]
    measure: Measure | Literal["capacity"]
    unit: str = ""


class Everyday(Strict):
    """Parts by what they are called, what may stand before one, and phrases after it and before it."""

    parts: list[str]
    kinds: list[str]
    after: list[Phrase]
    before: list[Phrase]


class Spoken(Strict):
    """What a name says: of which part, how, in which unit."""

    part: str
    measure: Measure | Literal["capacity"]
    unit: str


def split_words(name: str) -> list[str]:
    """A name's words in small letters: `filterLife` and `Filter/Life` are `filter` and `life`."""
    return [word.lower() for word in _WORD.findall(name)]


def read_name(name: str) -> Spoken | None:
    """What a property's name says of a part, however it is spelt; None when it says nothing of one."""
    words = split_words(name[:_NAME_MAX])
    for start in range(len(words)):
        for part in _everyday().parts:
            end = start + part.count("_") + 1
            if words[start:end] == part.split("_") and (spoken := _read_around(words, start, end, part)):
                return spoken
    return None


def _read_around(words: Sequence[str], start: int, end: int, part: str) -> Spoken | None:
    before, number = words[start - 1] if start else "", "".join(words[end : end + 1])
    if number.isdigit():
        part, end = part + number, end + 1
    after = "_".join(words[end:])
    phrase = _phrases("after").get(after) if after else _phrases("before").get(before)
    if phrase is None:
        return None
    kind = f"{before}_" if before in _everyday().kinds else ""
    return Spoken(part=kind + part, measure=phrase.measure, unit=phrase.unit)


@cache
def _phrases(place: Literal["after", "before"]) -> Mapping[str, Phrase]:
    everyday = _everyday()
    listed = everyday.after if place == "after" else everyday.before
    return {words: phrase for phrase in listed for words in phrase.words}


@cache
def _everyday() -> Everyday:
    text = (files("ingest.formats") / "everyday.yaml").read_text(encoding="utf-8")
    return read_yaml(Everyday, text, "ingest/formats/everyday.yaml")
