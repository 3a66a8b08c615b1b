"""What it means how a customer stands to a purpose, in words for them."""

from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files

from customers.consent import Standing
from customers.nouns import Basis
from customers.purposes import Words
from customers.regions import Region
from customers.sending import MARKETING
from millpond.kernel.yaml_file import Strict, read_yaml


class Meaning(StrEnum):
    """How a customer stands to a purpose."""

    CONTRACT = "contract"
    SILENT_ON = "silent_on"
    YES = "yes"
    SILENT_OFF = "silent_off"
    OLDER_WORDS = "older_words"
    TOO_OLD = "too_old"
    NO = "no"


class Meanings(Strict):
    """A sentence for each."""

    contract: Words
    silent_on: Words
    yes: Words
    silent_off: Words
    older_words: Words
    too_old: Words
    no: Words


@cache
def _sentences() -> dict[str, dict[str, str]]:
    text = (files("customers") / "meanings.yaml").read_text(encoding="utf-8")
    return read_yaml(Meanings, text, "meanings.yaml").model_dump()


def find_meaning(standing: Standing, region: Region, at: datetime) -> Meaning:
    """What the customer's last word, or their silence, comes to at `at` where they live."""
    if standing.basis is Basis.CONTRACT:
        return Meaning.CONTRACT
    if standing.given is None:
        return Meaning.SILENT_ON if standing.holds else Meaning.SILENT_OFF
    if not standing.given:
        return Meaning.NO
    if not standing.holds:
        return Meaning.OLDER_WORDS
    ends = renew_by(standing, region)
    return Meaning.TOO_OLD if ends is not None and ends <= at else Meaning.YES


def renew_by(standing: Standing, region: Region) -> datetime | None:
    """When a yes has to be said again to be good for sending; None where it has not."""
    return region.yes_ends(standing.yes_at) if standing.purpose in MARKETING else None


def tell_meaning(meaning: Meaning, language: str) -> str:
    """The sentence in one of our languages."""
    return _sentences()[meaning][language]
