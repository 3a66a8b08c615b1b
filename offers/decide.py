"""Whether to make an offer, and on which terms. Pure: everything it knows is in its arguments."""

from datetime import datetime

from offers.nouns import Rules
from offers.triggers.union import compute_terms, judge
from offers.verdict import Situation, Verdict


def decide_offer(situation: Situation, *, at: datetime, rules: Rules) -> Verdict:
    """All rules with their reasons, whether or not they stand against it, and the terms when none does."""
    gates = judge(situation, at=at, rules=rules)
    customer, product = situation.customer, situation.product
    if customer is None or product is None or not all(gate.passed for gate in gates):
        return Verdict(gates, None)
    plain = situation.facts.ran_out
    cause, zone = situation.candidate.cause, customer.time_zone
    return Verdict(gates, compute_terms(cause, product.price, zone, at=at, rules=rules, plain=plain))
