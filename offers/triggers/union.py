"""All triggers as one: each question here is answered by the trigger whose facts it is about.

A new trigger joins `Cause`, `Trigger`, `ReasonCode` and `TRIGGERS`; mypy then names every function that has no answer
of it yet.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import assert_never

from psycopg.types.json import Jsonb

from customers.nouns import Purpose
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId, DeviceId
from millpond.kernel.money import Money
from offers.causes import Candidate, Cause, NewDevice, WornPart
from offers.nouns import Gate, Household, Offer, ReasonCode, Rules, Trigger, Withdrawal
from offers.reason import ReasonFacts, Spoken
from offers.triggers import depletion, new_device
from offers.verdict import Facts, Situation, Terms

TRIGGERS = (depletion, new_device)


def select_households(conn: ReadConnection, at: datetime, rules: Rules) -> list[Household]:
    """Who has any candidate, each once: those with a need first, the most urgent of all before the others."""
    counts: dict[tuple[CustomerId | None, DeviceId | None], int] = {}
    for trigger in TRIGGERS:
        for household in trigger.select_households(conn, at, rules):
            key = (household.customer_id, household.device_id)
            counts[key] = counts.get(key, 0) + household.candidates
    return [Household(customer_id, device_id, count) for (customer_id, device_id), count in counts.items()]


def select_candidates(
    conn: ReadConnection, households: Sequence[Household], at: datetime, rules: Rules
) -> list[Candidate]:
    """All candidates of some households, what is needed first, each in the order of its urgency."""
    customers = [h.customer_id for h in households if h.customer_id is not None]
    unowned = [h.device_id for h in households if h.device_id is not None]
    return [
        candidate
        for trigger in TRIGGERS
        for candidate in trigger.select_candidates(conn, customers, unowned, at, rules)
    ]


def judge(situation: Situation, *, at: datetime, rules: Rules) -> tuple[Gate, ...]:
    """Every rule of the candidate's trigger, with its reason."""
    cause = situation.candidate.cause
    match cause:
        case WornPart():
            return tuple(depletion.judge(cause, situation, at=at, rules=rules))
        case NewDevice():
            return tuple(new_device.judge(cause, situation, at=at, rules=rules))
        case _:
            assert_never(cause)


def compute_terms(cause: Cause, list_price: Money, time_zone: str, *, at: datetime, rules: Rules, plain: bool) -> Terms:
    """Price before, price now, until when: always a midnight of the customer's."""
    match cause:
        case WornPart():
            return depletion.compute_terms(cause, list_price, time_zone, at=at, rules=rules, plain=plain)
        case NewDevice():
            return new_device.compute_terms(list_price, time_zone, at=at, rules=rules)
        case _:
            assert_never(cause)


def compute_score(cause: Cause, *, at: datetime, rules: Rules) -> float:
    """How urgent it is; among all triggers, the higher comes first."""
    match cause:
        case WornPart():
            return depletion.compute_score(cause, at=at)
        case NewDevice():
            return new_device.compute_score(cause, at=at, rules=rules)
        case _:
            assert_never(cause)


def needs_of(reason: ReasonCode) -> frozenset[Purpose]:
    """What the customer must agree to while such an offer is made and shown."""
    trigger = trigger_of(reason)
    match trigger:
        case Trigger.DEPLETION:
            return depletion.NEEDS
        case Trigger.NEW_DEVICE:
            return new_device.NEEDS
        case _:
            assert_never(trigger)


@cache
def needs_by_reason() -> Jsonb:
    """The same for every reason, as a query takes it."""
    return Jsonb({reason: sorted(needs_of(reason)) for reason in ReasonCode})


def why_moot(reason: ReasonCode, facts: Facts, consents: frozenset[Purpose]) -> Withdrawal | None:
    """Why an open offer has lost its point or may not be shown, None where neither is so."""
    if not needs_of(reason) <= consents:
        return Withdrawal.CONSENT_WITHDRAWN
    trigger = trigger_of(reason)
    match trigger:
        case Trigger.DEPLETION:
            return depletion.why_moot(facts)
        case Trigger.NEW_DEVICE:
            return new_device.why_moot(facts)
        case _:
            assert_never(trigger)


def speak(offer: Offer, facts: ReasonFacts) -> Spoken:
    """Which words tell of an offer, and what goes into them."""
    cause = facts.cause
    match cause:
        case WornPart():
            return depletion.speak(cause, facts, offer)
        case NewDevice():
            return new_device.speak(cause, facts)
        case _:
            assert_never(cause)


def reason_of(trigger: Trigger) -> ReasonCode:
    """What the customer is told as the reason of a trigger's offers."""
    match trigger:
        case Trigger.DEPLETION:
            return ReasonCode.DEPLETION
        case Trigger.NEW_DEVICE:
            return ReasonCode.FITS_NEW_DEVICE
        case _:
            assert_never(trigger)


def trigger_of(reason: ReasonCode) -> Trigger:
    """The trigger of the offers that have a reason."""
    match reason:
        case ReasonCode.DEPLETION:
            return Trigger.DEPLETION
        case ReasonCode.FITS_NEW_DEVICE:
            return Trigger.NEW_DEVICE
        case _:
            assert_never(reason)
