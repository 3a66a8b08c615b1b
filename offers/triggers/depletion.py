"""A part is near its end, and the household needs another."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row, kwargs_row

from customers.nouns import Purpose
from devices.depletion import read_dates
from devices.parts.doubts import Doubt
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, Sku
from millpond.kernel.language import Names
from millpond.kernel.money import Money
from offers import gates
from offers.causes import Candidate, DeviceInUse, PartForecast, WornPart
from offers.nouns import Gate, GateName, Household, LeadTime, Offer, Rules, Subject, Withdrawal
from offers.ranking import urgency
from offers.reason import ReasonFacts, Spoken
from offers.terms import midnight, reduced
from offers.verdict import Facts, Situation, Terms

_Q = load_queries("offers.triggers")
# What the customer must agree to: what is done with what we know of them, and being shown offers.
NEEDS = frozenset({Purpose.PERSONALISATION, Purpose.DEVICE_PROFILING, Purpose.MARKETING_APP})
# Parts are looked at this long before they are due, so that "not yet" is on record when somebody asks.
LOOK_AHEAD = timedelta(days=14)
# How long an offer is open when its part gives no date to reply by: one that is late, and one at the plain price.
OPEN_DAYS_LATE = 7
OPEN_DAYS_PLAIN = 30
_DOUBTS = frozenset(str(doubt) for doubt in Doubt)


def select_households(conn: ReadConnection, at: datetime, rules: Rules) -> list[Household]:
    """Whose parts are near enough to their end to be decided, the most urgent first."""
    with conn.cursor(row_factory=class_row(Household)) as cursor:
        return cursor.execute(_Q["select_households_of_worn_parts"], _window(at, rules)).fetchall()


def select_candidates(
    conn: ReadConnection, customers: Sequence[CustomerId], unowned: Sequence[DeviceId], at: datetime, rules: Rules
) -> list[Candidate]:
    """The worn parts of some customers, and of devices that nobody owns, the most urgent first."""
    values = _window(at, rules) | {"customer_ids": list(customers), "device_ids": list(unowned)}
    with conn.cursor(row_factory=kwargs_row(_candidate)) as cursor:
        return cursor.execute(_Q["select_worn_parts"], values).fetchall()


def _window(at: datetime, rules: Rules) -> dict[str, Any]:
    return {"at": at, "before": at + rules.lead.total + LOOK_AHEAD}


def _candidate(
    *,
    customer_id: CustomerId | None,
    device_id: DeviceId,
    serial: str,
    names: Names,
    installed_at: datetime,
    sku: Sku,
    installation_id: InstallationId,
    part_names: Names,
    p10: datetime | None,
    p50: datetime | None,
    p90: datetime | None,
    **forecast: Any,
) -> Candidate:
    newest = PartForecast(dates=read_dates(p10, p50, p90), **forecast)
    part = WornPart(DeviceInUse(serial, names, installed_at), part_names, newest)
    return Candidate(customer_id, Subject.of_part(device_id, installation_id), sku, part)


def judge(part: WornPart, situation: Situation, *, at: datetime, rules: Rules) -> Iterator[Gate]:
    """Every rule with its reason."""
    facts = situation.facts
    yield gates.customer_known(situation.customer)
    yield gates.consented(situation.customer, situation.consents, NEEDS)
    yield _not_in_doubt(part.forecast)
    yield _forecast_good(part.forecast)
    yield _due(part.forecast, rules.lead, at)
    yield _not_replaced(facts)
    yield gates.no_open_offer(facts)
    yield gates.not_answered(facts, needed=True)
    yield _not_ordered(facts)
    yield gates.compatible(facts)
    yield gates.price_known(situation.product)


def _not_in_doubt(forecast: PartForecast) -> Gate:
    """What a device says that cannot be must not sell anything."""
    doubted = forecast.reason_code in _DOUBTS
    why = f"its readings are in doubt: {forecast.reason}" if doubted else "nothing speaks against its readings"
    return Gate(GateName.NOT_IN_DOUBT, not doubted, why)


def _forecast_good(forecast: PartForecast) -> Gate:
    if forecast.dates is None:
        return Gate(GateName.FORECAST_GOOD, False, f"the forecast has no dates: {forecast.reason}")
    return Gate(GateName.FORECAST_GOOD, True, f"the forecast of {forecast.at.date()} ({forecast.method}) has dates")


def _due(forecast: PartForecast, lead: LeadTime, at: datetime) -> Gate:
    """Due when P10 less the lead time has come. An offer that was issued stays, whatever later forecasts say."""
    if forecast.dates is None:
        return Gate(GateName.DUE, False, "nobody knows when it is due")
    due_at = forecast.dates.p10 - lead.total
    days = f"{lead.delivery_days} days of delivery and {lead.margin_days} of margin before {forecast.dates.p10.date()}"
    return Gate(GateName.DUE, due_at <= at, f"due {'since' if due_at <= at else 'on'} {due_at.date()}: {days}")


def _not_replaced(facts: Facts) -> Gate:
    why = f"the part {'was replaced' if facts.replaced else 'is in use'}"
    return Gate(GateName.NOT_REPLACED, not facts.replaced, why)


def _not_ordered(facts: Facts) -> Gate:
    """Stock at home counts from the order and provides for the parts that are used up first."""
    why = f"{facts.spare} at home or on the way, {facts.rank - 1} other parts of the household come first"
    return Gate(GateName.NOT_ORDERED, facts.spare < facts.rank, why)


def why_moot(facts: Facts) -> Withdrawal | None:
    """Why an open offer has lost its point: the part was replaced, or what it needs is at home or on its way."""
    if facts.replaced:
        return Withdrawal.REPLACEMENT_UNDONE if facts.undone else Withdrawal.REPLACED
    return None if _not_ordered(facts).passed else Withdrawal.PROVIDED_FOR


def compute_terms(
    part: WornPart, list_price: Money, time_zone: str, *, at: datetime, rules: Rules, plain: bool
) -> Terms:
    """A reply by `reply_by` arrives before P10; where that is less than a day away, the offer is open a week.

    `plain` is without a discount, and then open for a month.
    """
    assert part.forecast.dates is not None  # The gate `forecast_good` says so.
    price = list_price if plain else reduced(list_price, rules.discount_bp)
    until = midnight(part.forecast.dates.p10 - rules.lead.delivery, time_zone)
    in_time = until >= at + timedelta(days=1)
    if not in_time:
        open_days = OPEN_DAYS_PLAIN if plain else OPEN_DAYS_LATE
        until = midnight(at + timedelta(days=open_days + 1), time_zone)
    return Terms(list_price, price, valid_from=at, reply_by=until, valid_until=until, in_time=in_time)


def compute_score(part: WornPart, *, at: datetime) -> float:
    """How urgent, from 1 to 2: what is needed comes before what is an extra, and the sooner the higher."""
    assert part.forecast.dates is not None  # The gate `forecast_good` says so.
    return 1 + urgency((part.forecast.dates.p10 - at) / timedelta(days=1))


def speak(part: WornPart, facts: ReasonFacts, offer: Offer) -> Spoken:
    """Which words tell of the offer, and what goes into them."""
    dates, promise = part.forecast.dates, facts.promise
    assert dates is not None  # No offer is made without.
    assert promise is not None
    why = "in_time" if promise.in_time else "late"
    return Spoken(
        why="overdue" if dates.p50 <= offer.issued_at else why,
        names={"device": part.device.names, "part": part.part_names},
        # The earliest is never before the offer was made.
        days={"depletes": dates.p50, "earliest": max(dates.p10, offer.issued_at)},
        plain={"delivery_days": str(promise.delivery_days)},
    )
