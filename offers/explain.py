"""Offers and decisions in words: templates per language in `words/`, filled from facts."""

from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_date

from millpond.kernel.language import choose_language, format_money, last_day_before, locale_of, name_in
from offers.causes import WornPart
from offers.nouns import Decision, Offer, Outcome, Reason
from offers.reason import ReasonFacts, Spoken, read_facts
from offers.triggers.union import speak, trigger_of


def explain_offer(offer: Offer, *, locale: str, time_zone: str) -> Reason:
    """An offer in the language of `locale` (English when we do not speak it), times in `time_zone`."""
    language = choose_language(locale)
    words = _words(language)
    spoken = speak(offer, read_facts(trigger_of(offer.reason_code), offer.facts))
    values = _fill(spoken, language, ZoneInfo(time_zone)) | _fill_terms(offer, language, ZoneInfo(time_zone))
    return Reason(
        headline=words[offer.reason_code]["headline"].format(**values),
        why=words[offer.reason_code][spoken.why].format(**values),
        terms=words["terms"]["reduced" if offer.price != offer.list_price else "plain"].format(**values),
    )


def explain_decision(decision: Decision, *, locale: str) -> str:
    """Why there is an offer or none, in one plain sentence for the customer."""
    language = choose_language(locale)
    facts = read_facts(decision.trigger, decision.candidates[0])
    key = "issued" if decision.outcome is Outcome.ISSUED else decision.failed_gate
    spoken: str = _words(language)["decision"][key]
    product = _name_product(facts, language) or decision.sku
    return spoken.format(product=product, device=name_in(facts.cause.device.names, language))


def _name_product(facts: ReasonFacts, language: str) -> str | None:
    """Its own name, or where it is not sold that of the part that it is."""
    if facts.product is not None:
        return name_in(facts.product, language)
    return name_in(facts.cause.part_names, language) if isinstance(facts.cause, WornPart) else None


def _fill(spoken: Spoken, language: str, zone: ZoneInfo) -> dict[str, str]:
    pattern = _words(language)["date"]
    names = {name: name_in(names, language) for name, names in spoken.names.items()}
    days = {name: _format(at.astimezone(zone).date(), pattern, language) for name, at in spoken.days.items()}
    return names | days | spoken.plain


def _fill_terms(offer: Offer, language: str, zone: ZoneInfo) -> dict[str, str]:
    words = _words(language)
    return {
        "reply_by": _format(last_day_before(offer.reply_by, zone), words["weekday"], language),
        "valid_until": _format(last_day_before(offer.valid_until, zone), words["date"], language),
        "price": format_money(offer.price, language),
        "list_price": format_money(offer.list_price, language),
    }


# Days and prices repeat from offer to offer, and Babel takes longer for one than all else that is done for it.
@lru_cache(4_096)
def _format(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=locale_of(language))


@cache
def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load((files("offers") / "words" / f"{language}.yaml").read_text("utf-8"))
    return words
