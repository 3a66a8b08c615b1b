"""Offers and decisions in words: templates per language in `words/`, filled from facts."""

from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_date

from millpond.kernel.language import choose_language, format_money, last_day_before, locale_of, name_in
from offers.nouns import Decision, Offer, Outcome, Reason, ReasonCode


def explain_offer(offer: Offer, *, locale: str, time_zone: str) -> Reason:
    """An offer in the language of `locale` (English when we do not speak it), times in `time_zone`."""
    language = choose_language(locale)
    words = _words(language)
    values = _values(offer, language, time_zone)
    spoken = words[offer.reason_code]
    return Reason(
        headline=spoken["headline"].format(**values),
        why=spoken[_why(offer)].format(**values),
        terms=words["terms"]["reduced" if offer.price != offer.list_price else "plain"].format(**values),
    )


def explain_decision(decision: Decision, *, locale: str) -> str:
    """Why there is an offer or none, in one plain sentence for the customer."""
    language = choose_language(locale)
    facts = decision.candidates[0]
    key = "issued" if decision.outcome is Outcome.ISSUED else decision.failed_gate
    product = _name(facts["product"], language) or _name(facts["part"], language) or decision.sku
    spoken: str = _words(language)["decision"][key]
    return spoken.format(product=product, device=_name(facts["device"], language))


def _why(offer: Offer) -> str:
    if offer.reason_code is ReasonCode.FITS_NEW_DEVICE:
        return "condition" if offer.facts["condition"] else "plain"
    if datetime.fromisoformat(offer.facts["depletion"]["p50"]) <= offer.issued_at:
        return "overdue"
    return "in_time" if offer.facts["in_time"] else "late"


def _values(offer: Offer, language: str, time_zone: str) -> dict[str, Any]:
    facts, words, zone = offer.facts, _words(language), ZoneInfo(time_zone)
    return {
        "product": _name(facts["product"], language),
        "device": _name(facts["device"], language),
        "part": _name(facts["part"], language),
        "depletes": _day(facts["depletion"] and facts["depletion"]["p50"], zone, words["date"], language),
        "earliest": _day(_earliest(offer), zone, words["date"], language),
        "installed": _day(facts["device_installed_at"], zone, words["date"], language),
        "reply_by": _format(last_day_before(offer.reply_by, zone), words["weekday"], language),
        "valid_until": _format(last_day_before(offer.valid_until, zone), words["date"], language),
        "delivery_days": facts["delivery_days"],
        "condition": facts["condition"],
        "price": format_money(offer.price, language),
        "list_price": format_money(offer.list_price, language),
    }


def _earliest(offer: Offer) -> str | None:
    """When the part may be used up at the earliest (P10), never before the offer was made."""
    depletion = offer.facts["depletion"]
    return max(datetime.fromisoformat(depletion["p10"]), offer.issued_at).isoformat() if depletion else None


def _day(moment: str | None, zone: ZoneInfo, pattern: str, language: str) -> str:
    return _format(datetime.fromisoformat(moment).astimezone(zone).date(), pattern, language) if moment else ""


def _format(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=locale_of(language))


def _name(names: dict[str, str] | None, language: str) -> str:
    return name_in(names, language) if names else ""


@cache
def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load((files("offers") / "words" / f"{language}.yaml").read_text("utf-8"))
    return words
