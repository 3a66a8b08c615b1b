"""A leak in words, in the languages that operators read."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from dam.report.nouns import Leak
from millpond.kernel.language import locale_of


def say_lost(leak: Leak, language: str) -> str:
    """What is lost, as one sentence with its figures."""
    from babel.numbers import format_decimal, format_percent

    locale = locale_of(language)
    share = format_percent(leak.lost / leak.total if leak.total else 0, locale=locale)
    counts = {"lost": format_decimal(leak.lost, locale=locale), "total": format_decimal(leak.total, locale=locale)}
    return str(_words(language)[leak.code]["lost"].format(place=leak.place or leak.channel, share=share, **counts))


def say_stop(leak: Leak, language: str) -> str:
    """What it would take to stop it."""
    return str(_words(language)[leak.code]["stop"])


@cache
def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load((files("dam.report") / "words" / f"{language}.yaml").read_text("utf-8"))
    return words
