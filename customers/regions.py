"""Where a customer lives, and what the law there adds to what they said: rules as data."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from customers.nouns import Medium, Purpose
from millpond.kernel.errors import InvalidInput
from millpond.kernel.yaml_file import Strict, read_yaml

ELSEWHERE = "elsewhere"


class Night(Strict):
    """Hours of the customer's day in which what is sent by some media needs a purpose of its own."""

    begins: time = Field(alias="from")
    ends: time = Field(alias="until")
    purpose: Purpose
    media: tuple[Medium, ...] = Field(min_length=1)

    def next_after(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The night in which `at` lies, or else the next one, in UTC.

        Where clocks are set back and an hour comes twice, the night begins with the first and ends with the second.
        """
        return next((begins, ends) for begins, ends in self._nights(at.astimezone(zone).date(), zone) if ends > at)

    def _nights(self, today: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        for days in (-1, 0, 1):
            evening = today + timedelta(days=days)
            morning = evening if self.begins < self.ends else evening + timedelta(days=1)
            yield min(_moments(evening, self.begins, zone)), max(_moments(morning, self.ends, zone))


class Region(Strict):
    """What is so in some countries. `yes_keeps_days` is after how long a yes is no longer good for sending."""

    region: str = Field(pattern="^[A-Z]{2}$|^elsewhere$")
    countries: tuple[str, ...] = ()
    law: tuple[str, ...] = ()
    yes_to_send: bool = False
    yes_keeps_days: int | None = Field(default=None, ge=1)
    mark: str | None = None
    night: Night | None = None

    def yes_ends(self, yes_at: datetime | None) -> datetime | None:
        """When a yes is no longer good for sending; None where it is good until they say no."""
        if yes_at is None or self.yes_keeps_days is None:
            return None
        return yes_at + timedelta(days=self.yes_keeps_days)


class Regions(Strict):
    """All of them, each country in one."""

    regions: tuple[Region, ...]

    @model_validator(mode="after")
    def _each_country_once(self) -> "Regions":
        countries = [country for region in self.regions for country in region.countries]
        if twice := sorted({each for each in countries if countries.count(each) > 1}):
            raise ValueError(f"{twice[0]} is in two regions")
        if unknown := sorted(set(countries) - _countries()):
            raise ValueError(f"{unknown[0]} is no country of ISO 3166")
        return self


@cache
def read_regions() -> dict[str, Region]:
    """The region of each country that has rules of its own."""
    text = (files("customers") / "regions.yaml").read_text(encoding="utf-8")
    regions = read_yaml(Regions, text, "regions.yaml").regions
    return {country: region for region in regions for country in region.countries}


def region_of(country: str | None) -> Region:
    """The rules of a country; of one that has none, and of nobody knows where, that of elsewhere."""
    return read_regions().get(country or "", _ELSEWHERE)


def find_country(said: str | None, locale: str, time_zone: str) -> str | None:
    """Where somebody lives: what was said of it, else where their time zone is, else where their language is spoken so.

    None when nothing says it: zone UTC, and a language without a country.
    """
    from babel.core import get_global

    territory = locale.replace("_", "-").split("-")[-1]
    return said or _country(get_global("zone_territories").get(time_zone)) or _country(territory)


def require_country(country: str | None) -> None:
    """Pass a code of ISO 3166, or none. Raises InvalidInput for any other."""
    if country is not None and country not in _countries():
        raise InvalidInput(f"{country[:20]!r} is not a country like KR, as ISO 3166 writes it")


def _country(code: str | None) -> str | None:
    return code if code in _countries() else None


@cache
def _countries() -> frozenset[str]:
    """The countries of the tz database, which are those of ISO 3166 where somebody lives."""
    lines = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8").splitlines()
    return frozenset(line.split("\t")[0] for line in lines if line and not line.startswith("#"))


def _moments(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    """When a clock on a wall shows a time: once, or twice where it is set back."""
    return [datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)]


_ELSEWHERE = Region(region=ELSEWHERE)
