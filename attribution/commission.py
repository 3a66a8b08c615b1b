"""How much an order earns, and how much a refund takes back. Pure."""

from attribution.ledger_nouns import CommissionPlan
from millpond.kernel.money import Money


def compute_commission(plan: CommissionPlan, amount: Money) -> Money:
    """The plan's share of an amount, rounded half away from zero."""
    return amount.share(plan.rate_bp)


def compute_clawback(plan: CommissionPlan, amount: Money, refunded_before: Money, refund: Money) -> Money:
    """What a refund takes back: the commission on what the customer kept before, less that on what is kept after.

    So the commission left is always the plan's share of what the customer keeps, and the clawbacks of an order that is
    refunded in any number of parts sum to exactly what it earned.
    """
    # The difference of two rounded sums, not a rounded share of the refund: three refunds of a third would otherwise
    # take back a cent more or less than was earned.
    kept_before = amount - refunded_before
    return compute_commission(plan, kept_before) - compute_commission(plan, kept_before - refund)
