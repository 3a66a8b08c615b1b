"""The segments that ship: `built_in.yaml`, in the words of any condition; one entry may stand for each category."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import Field

from millpond.kernel.db import WriteConnection
from millpond.kernel.yaml_file import Strict, read_yaml
from segments.conditions.reading import SEGMENT_ID
from segments.defining import keep_shipped
from segments.store import select_categories_sold

_HERE = "{category}"


class Title(Strict):
    """What a segment is called, in every language."""

    en: str = Field(min_length=1, max_length=200)
    ko: str = Field(min_length=1, max_length=200)
    zh: str = Field(min_length=1, max_length=200)


class Entry(Strict):
    """A segment as the file has it; `{category}` in one `for_each_category` is replaced by each."""

    name: str = Field(pattern=SEGMENT_ID)
    title: Title
    for_each_category: bool = False
    condition: dict[str, Any]


class BuiltIn(Strict):
    """The file."""

    segments: tuple[Entry, ...]


@cache
def built_in() -> BuiltIn:
    """What ships."""
    return read_yaml(BuiltIn, (files("segments") / "built_in.yaml").read_text(encoding="utf-8"), "built_in.yaml")


def seed_segments(conn: WriteConnection, *, at: datetime) -> None:
    """Make and renew the segments that ship, of the categories that are sold now."""
    categories = select_categories_sold(conn)
    for entry in built_in().segments:
        for name, title, condition in _expand(entry, categories):
            keep_shipped(conn, name, title=title, said=condition, at=at)


def _expand(entry: Entry, categories: list[str]) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    title = entry.title.model_dump()
    if not entry.for_each_category:
        yield entry.name, title, entry.condition
        return
    for category in categories:
        titles = {language: text.replace(_HERE, category) for language, text in title.items()}
        condition = json.loads(json.dumps(entry.condition).replace(_HERE, json.dumps(category)[1:-1]))
        yield f"{entry.name}_{_as_word(category)}", titles, condition


def _as_word(category: str) -> str:
    """A category as a part of a name; what is no word gets a few letters of its digest."""
    if re.fullmatch("[a-z0-9_]{1,40}", category):
        return category
    return hashlib.sha256(category.encode()).hexdigest()[:12]
