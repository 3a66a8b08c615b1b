"""What people read, per language: the catalogues, and dates, numbers and money as that language writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent

from api.models import MoneyOut
from millpond.kernel.money import Money
from offers.explain import format_money

LANGUAGES = {"en": "en_GB", "ko": "ko_KR", "zh": "zh_Hans_CN"}


@cache
def load_words(language: str) -> Mapping[str, str]:
    """The catalogue of one of LANGUAGES."""
    text = (files("api.web") / "catalogues" / f"{language}.yaml").read_text(encoding="utf-8")
    words: dict[str, str] = yaml.safe_load(text)
    return words


def choose_language(asked: str | None, own: str | None, accepted: str) -> str:
    """The first we speak of: what was asked for, the customer's own, what the browser accepts; else English."""
    wishes = [asked, own, *(part.split(";")[0] for part in accepted.split(","))]
    for wish in wishes:
        language = (wish or "").strip().lower()[:2]
        if language in LANGUAGES:
            return language
    return "en"


def find_zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name, UTC when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Speech:
    """One language and one time zone: turns keys into texts, and values into how people there write them."""

    language: str
    zone: ZoneInfo

    @property
    def locale(self) -> Locale:
        """Babel's locale of the language."""
        return Locale.parse(LANGUAGES[self.language])

    def text(self, key: str, **values: Any) -> str:
        """The text of `key` with `values` in their places."""
        return load_words(self.language)[key].format(**values)

    def name(self, names: Mapping[str, str]) -> str:
        """One of a thing's names by language; English is always there."""
        return names.get(self.language) or names["en"]

    def day(self, at: datetime, now: datetime) -> str:
        """`3 March`, with the year where it is not this year."""
        here = at.astimezone(self.zone)
        if here.year == now.astimezone(self.zone).year:
            return format_date(here, _DAY_OF_YEAR[self.language], locale=self.locale)
        return format_date(here, "long", locale=self.locale)

    def lately(self, at: datetime, now: datetime) -> str:
        """The time of today, else the day."""
        here = at.astimezone(self.zone)
        if here.date() != now.astimezone(self.zone).date():
            return self.day(at, now)
        return self.text("today", time=format_time(here, "HH:mm", locale=self.locale))

    def last_day(self, end: datetime, now: datetime) -> str:
        """The last day before `end`, as people say until when something holds."""
        return self.day(end - timedelta(microseconds=1), now)

    def moment(self, at: datetime) -> str:
        """Date and time to the minute."""
        return format_datetime(at, "medium", tzinfo=self.zone, locale=self.locale)

    def money(self, money: Money | MoneyOut) -> str:
        """An amount with its currency's own number of decimals."""
        return format_money(Money(money.amount_minor, money.currency), self.locale)

    def percent(self, percent: float) -> str:
        """0–100 as a whole percentage."""
        return format_percent(round(percent) / 100, locale=self.locale)

    def number(self, number: float) -> str:
        """A number, grouped."""
        return format_decimal(number, locale=self.locale)


_DAY_OF_YEAR = {"en": "d MMMM", "ko": "M월 d일", "zh": "M月d日"}
