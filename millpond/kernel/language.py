"""The languages that people read us in: which one, and names, money and last days as they are written there."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from millpond.kernel.money import Money

# Babel is imported by those functions that format: ingest and simulators know languages only by their names.
if TYPE_CHECKING:
    from babel import Locale

_LOCALES = {"en": "en_GB", "ko": "ko_KR", "zh": "zh_Hans_CN"}
LANGUAGES = tuple(_LOCALES)
_DECIMALS = re.compile(r"\.0+")


def _check_names(names: dict[str, str]) -> dict[str, str]:
    if unknown := names.keys() - set(LANGUAGES):
        raise ValueError(f"{min(unknown)[:20]!r} is none of the languages {', '.join(LANGUAGES)}")
    if "en" not in names:
        raise ValueError("a name in English (en) is missing")
    return names


Names = Annotated[dict[str, str], AfterValidator(_check_names)]
"""A thing's name by language; English is always there, and stands in for those that are not."""


# Nothing of it is remembered: the wishes may be a header of 64 kB, and another one with each request.
def choose_language(*wishes: str | None) -> str:
    """The first of some tags like `ko-KR` whose language is one of LANGUAGES, else English; None is no wish."""
    for wish in wishes:
        language = (wish or "").strip().lower().replace("_", "-").partition("-")[0]
        if language in LANGUAGES:
            return language
    return "en"


def name_in(names: Mapping[str, str], language: str) -> str:
    """The name in that language, in English where there is none."""
    return names.get(language) or names["en"]


@cache
def locale_of(language: str) -> "Locale":
    """Babel's locale of one of LANGUAGES."""
    from babel import Locale

    return Locale.parse(_LOCALES[language])


@lru_cache(4_096)
def format_money(money: Money, language: str) -> str:
    """€35.91 or ₩45,000: with the decimals of the currency's minor unit, as that language writes amounts."""
    from babel.numbers import format_currency

    amount, locale = money.to_decimal(), locale_of(language)
    decimals = -int(amount.as_tuple().exponent)
    # Babel would take the decimals that people write today, for some currencies fewer than the minor unit has.
    pattern = _DECIMALS.sub(f".{decimals * '0'}" if decimals else "", locale.currency_formats["standard"].pattern)
    return str(format_currency(amount, money.currency, pattern, locale=locale, currency_digits=False))


def last_day_before(end: datetime, zone: ZoneInfo) -> date:
    """The last day that lies before an end: what ends at Saturday's midnight holds all Friday."""
    return (end - timedelta(microseconds=1)).astimezone(zone).date()
