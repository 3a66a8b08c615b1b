"""Why there is an offer, or why none, as people are told."""

from datetime import datetime
from typing import Any

from api.auth import Caller
from api.models import Out
from api.visible.roles import may_see_workings
from offers.explain import explain_decision
from offers.nouns import Decision, Outcome, Trigger

_FOR_OPERATORS = ("failed_gate", "candidates", "gates", "policy", "score", "propensity", "place")


class GateOut(Out):
    """One rule: whether it let the offer pass, and why."""

    gate: str
    passed: bool
    why: str


class PlaceOut(Out):
    """Where the offer stands on the slate of what its household was offered together, the first at 1."""

    slate_id: str
    position: int


class DecisionOut(Out):
    """A verdict in plain words. A no that repeats is one: so many `times`, from `decided_at` to `last_at`.

    From `failed_gate` on it is for operators, and null for the customer.
    """

    decision_id: str
    customer_id: str | None
    trigger: Trigger
    sku: str
    decided_at: datetime
    last_at: datetime
    times: int
    outcome: Outcome
    offer_id: str | None
    words: str = ""
    failed_gate: str | None = None
    candidates: list[dict[str, Any]] | None = None
    gates: list[GateOut] | None = None
    policy: str | None = None
    score: float | None = None
    propensity: float | None = None
    place: PlaceOut | None = None


def show_decision(decision: Decision, caller: Caller, locale: str) -> DecisionOut:
    """The decision as the caller may read it, its words in the language of `locale`."""
    words = explain_decision(decision, locale=locale)
    shown = DecisionOut.model_validate(decision).model_copy(update={"words": words})
    return shown if may_see_workings(caller) else shown.model_copy(update=dict.fromkeys(_FOR_OPERATORS))
