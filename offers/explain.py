"""Offers and decisions in words, per language."""

from offers.nouns import Decision, Offer, Reason


def explain_offer(offer: Offer, *, locale: str, time_zone: str) -> Reason:
    """An offer in the language of `locale` (English when we do not speak it), times in `time_zone`."""
    raise NotImplementedError


def explain_decision(decision: Decision, *, locale: str) -> str:
    """Why there is an offer or none, in one plain sentence for the customer."""
    raise NotImplementedError
