"""Whether to make an offer, and on which terms. Pure: everything it knows is in its arguments."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from catalogue.nouns import Product
from customers.nouns import Customer
from devices.doubts import Doubt
from millpond.kernel.money import Money
from offers.nouns import (
    Candidate,
    Depletion,
    Facts,
    Gate,
    LeadTime,
    OfferState,
    Rules,
    Terms,
    Trigger,
    Verdict,
    Withdrawal,
)

# How long an offer is open when no date of the part's own says so.
OPEN_DAYS_LATE = 7
OPEN_DAYS_NEW_DEVICE = 14
OPEN_DAYS_PLAIN = 30


def decide_offer(
    candidate: Candidate,
    facts: Facts,
    customer: Customer | None,
    product: Product | None,
    *,
    at: datetime,
    rules: Rules,
) -> Verdict:
    """All rules with their reasons, whether or not they stand against it, and the terms when none does."""
    gates = tuple(_gates(candidate, facts, customer, product, at, rules))
    if customer is None or product is None or not all(gate.passed for gate in gates):
        return Verdict(gates, None)
    terms = compute_terms(
        product.price, candidate.depletion, customer.time_zone, at=at, rules=rules, plain=_ran_out(facts)
    )
    return Verdict(gates, terms)


def _gates(
    candidate: Candidate, facts: Facts, customer: Customer | None, product: Product | None, at: datetime, rules: Rules
) -> Iterator[Gate]:
    yield _customer_known(customer)
    if candidate.depletion is not None:
        yield _not_in_doubt(candidate.depletion)
        yield _forecast_good(candidate.depletion)
        yield _due(candidate.depletion, rules.lead, at)
        yield _not_replaced(facts)
    else:
        yield _device_new(candidate, rules, at)
    yield _no_open_offer(facts)
    yield _not_answered(candidate, facts)
    yield _not_ordered(facts) if candidate.trigger is Trigger.DEPLETION else _not_owned(facts)
    yield _compatible(facts)
    yield _price_known(product)


def _customer_known(customer: Customer | None) -> Gate:
    why = f"the device belongs to {customer.customer_id}" if customer else "the device belongs to nobody we know"
    return Gate("customer_known", customer is not None, why)


def _not_in_doubt(depletion: Depletion) -> Gate:
    """What a device says that cannot be must not sell anything."""
    doubted = depletion.reason_code in set(Doubt)
    why = f"its readings are in doubt: {depletion.reason}" if doubted else "nothing speaks against its readings"
    return Gate("not_in_doubt", not doubted, why)


def _forecast_good(depletion: Depletion) -> Gate:
    if depletion.p10 is None:
        return Gate("forecast_good", False, f"the forecast has no dates: {depletion.reason}")
    return Gate("forecast_good", True, f"the forecast of {depletion.at:%Y-%m-%d} ({depletion.method}) has dates")


def _due(depletion: Depletion, lead: LeadTime, at: datetime) -> Gate:
    """Due when P10 less the lead time has come. An offer that was issued stays, whatever later forecasts say."""
    if depletion.p10 is None:
        return Gate("due", False, "nobody knows when it is due")
    due_at = depletion.p10 - lead.total
    days = f"{lead.delivery_days} days of delivery and {lead.margin_days} of margin before {depletion.p10:%Y-%m-%d}"
    return Gate("due", due_at <= at, f"due {'since' if due_at <= at else 'on'} {due_at:%Y-%m-%d}: {days}")


def _not_replaced(facts: Facts) -> Gate:
    return Gate("not_replaced", not facts.replaced, f"the part {'was replaced' if facts.replaced else 'is in use'}")


def _device_new(candidate: Candidate, rules: Rules, at: datetime) -> Gate:
    age = at - candidate.device_installed_at
    passed = timedelta(0) <= age <= timedelta(days=rules.new_device_days)
    return Gate("device_new", passed, f"installed {age.days} days ago, new for {rules.new_device_days}")


def _no_open_offer(facts: Facts) -> Gate:
    why = f"offer {facts.open_offer} is open" if facts.open_offer else "no offer is open for it"
    return Gate("no_open_offer", facts.open_offer is None, why)


def _not_answered(candidate: Candidate, facts: Facts) -> Gate:
    """A no is for good, and so is silence where the offer was an extra; what is needed stays on offer."""
    if facts.last_answer is None or facts.last_answer_at is None:
        return Gate("not_answered", True, "no earlier offer of this was declined or ran out")
    said = f"an offer of this was {facts.last_answer} on {facts.last_answer_at:%Y-%m-%d}"
    if not _ran_out(facts) or candidate.trigger is Trigger.NEW_DEVICE:
        return Gate("not_answered", False, f"{said}: it is not made again")
    return Gate("not_answered", True, f"{said}: it is made again at the plain price")


def _ran_out(facts: Facts) -> bool:
    """Whether nobody answered the last offer of this: what it took off the price is gone, the need may not be."""
    return facts.last_answer == OfferState.EXPIRED


def _not_ordered(facts: Facts) -> Gate:
    """Stock at home counts from the order and provides for the parts that are used up first."""
    why = f"{facts.spare} at home or on the way, {facts.rank - 1} other parts of the household come first"
    return Gate("not_ordered", facts.spare < facts.rank, why)


def _not_owned(facts: Facts) -> Gate:
    return Gate("not_owned", not facts.owned, f"the household {'has' if facts.owned else 'has not'} got or ordered one")


def _compatible(facts: Facts) -> Gate:
    why = f"it does not fit: {facts.incompatible}" if facts.incompatible else "nothing is known against it"
    return Gate("compatible", facts.incompatible is None, why)


def _price_known(product: Product | None) -> Gate:
    why = f"{product.price.amount_minor} {product.price.currency}" if product else "the product is not in the catalogue"
    return Gate("price_known", product is not None, why)


def why_moot(facts: Facts, trigger: Trigger) -> Withdrawal | None:
    """Why an open offer has lost its point, None where it has not: the part was replaced, or its need is met."""
    if trigger is Trigger.NEW_DEVICE:
        return None if _not_owned(facts).passed else Withdrawal.OWNED
    if not _not_replaced(facts).passed:
        return Withdrawal.REPLACEMENT_UNDONE if facts.undone else Withdrawal.REPLACED
    return None if _not_ordered(facts).passed else Withdrawal.PROVIDED_FOR


def compute_terms(
    list_price: Money, depletion: Depletion | None, time_zone: str, *, at: datetime, rules: Rules, plain: bool = False
) -> Terms:
    """Price before, price now, and until when: always a midnight of the customer's, so that "by Friday" is all Friday.

    A reply by `reply_by` arrives before P10; where that is less than a day away, the offer is open a week and says so.
    `plain` is without a discount, and then open for a month.
    """
    price = list_price if plain else _reduced(list_price, rules.discount_bp)
    if depletion is None or depletion.p10 is None:
        until, in_time = _midnight(at + timedelta(days=OPEN_DAYS_NEW_DEVICE + 1), time_zone), True
    else:
        until = _midnight(depletion.p10 - rules.lead.delivery, time_zone)
        in_time = until >= at + timedelta(days=1)
        open_days = OPEN_DAYS_PLAIN if plain else OPEN_DAYS_LATE
        until = until if in_time else _midnight(at + timedelta(days=open_days + 1), time_zone)
    return Terms(list_price, price, valid_from=at, reply_by=until, valid_until=until, in_time=in_time)


def _reduced(list_price: Money, discount_bp: int) -> Money:
    return Money(max(1, (list_price - list_price.share(discount_bp)).amount_minor), list_price.currency)


def _midnight(at: datetime, time_zone: str) -> datetime:
    """When the customer's day that `at` lies in began."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(UTC)
