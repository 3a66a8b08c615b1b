"""What people read, per language: the catalogues, and dates, numbers and money as that language writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent

from api.models import MoneyOut
from millpond.kernel.language import format_money, last_day_before, locale_of, name_in
from millpond.kernel.money import Money


@cache
def load_words(language: str) -> Mapping[str, str]:
    """The catalogue of one of our languages."""
    text = (files("api.web") / "catalogues" / f"{language}.yaml").read_text(encoding="utf-8")
    words: dict[str, str] = yaml.safe_load(text)
    return words


def accepted_languages(header: str) -> list[str]:
    """The tags of an `Accept-Language` header in their order, which browsers make that of their preference."""
    return [part.split(";")[0] for part in header.split(",")]


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
        return locale_of(self.language)

    def text(self, key: str, **values: Any) -> str:
        """The text of `key` with `values` in their places."""
        return load_words(self.language)[key].format(**values)

    def name(self, names: Mapping[str, str]) -> str:
        """One of a thing's names by language; English is always there."""
        return name_in(names, self.language)

    def day(self, at: datetime, now: datetime) -> str:
        """`3 March`, with the year where it is not this year."""
        return self._date(at.astimezone(self.zone).date(), now)

    def _date(self, day: date, now: datetime) -> str:
        pattern = _DAY_OF_YEAR[self.language] if day.year == now.astimezone(self.zone).year else "long"
        return format_date(day, pattern, locale=self.locale)

    def time_or_day(self, at: datetime, now: datetime) -> str:
        """The time of today, else the day."""
        here = at.astimezone(self.zone)
        if here.date() != now.astimezone(self.zone).date():
            return self.day(at, now)
        return self.text("today", time=format_time(here, "HH:mm", locale=self.locale))

    def last_day(self, end: datetime, now: datetime) -> str:
        """The last day before `end`, as people say until when something holds."""
        return self._date(last_day_before(end, self.zone), now)

    def moment(self, at: datetime) -> str:
        """Date and time to the minute."""
        return format_datetime(at, "medium", tzinfo=self.zone, locale=self.locale)

    def money(self, money: Money | MoneyOut) -> str:
        """An amount with its currency's own number of decimals."""
        return format_money(Money(money.amount_minor, money.currency), self.language)

    def percent(self, percent: float) -> str:
        """0–100 as a whole percentage."""
        return format_percent(round(percent) / 100, locale=self.locale)

    def number(self, number: float) -> str:
        """A number, grouped."""
        return format_decimal(number, locale=self.locale)


_DAY_OF_YEAR = {"en": "d MMMM", "ko": "M월 d일", "zh": "M月d日"}
