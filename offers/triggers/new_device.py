"""A device is new in its household, and something goes with it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row, kwargs_row

from customers.nouns import Purpose
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId, DeviceId, Sku
from millpond.kernel.language import Names
from millpond.kernel.money import Money
from offers import gates
from offers.causes import Candidate, DeviceInUse, NewDevice
from offers.nouns import Gate, GateName, Household, Rules, Subject, Withdrawal
from offers.ranking import urgency
from offers.reason import ReasonFacts, Spoken
from offers.terms import midnight, reduced
from offers.verdict import Facts, Situation, Terms

_Q = load_queries("offers.triggers")
# What the customer must agree to: what is done with what we know of them, and being shown offers.
NEEDS = frozenset({Purpose.PERSONALISATION, Purpose.MARKETING_APP})
OPEN_DAYS = 14


def select_households(conn: ReadConnection, at: datetime, rules: Rules) -> list[Household]:
    """Who has a device so new that what goes with it is offered, the oldest of these devices first."""
    with conn.cursor(row_factory=class_row(Household)) as cursor:
        return cursor.execute(_Q["select_households_of_new_devices"], _window(at, rules)).fetchall()


def select_candidates(
    conn: ReadConnection, customers: Sequence[CustomerId], unowned: Sequence[DeviceId], at: datetime, rules: Rules
) -> list[Candidate]:
    """What goes with the new devices of some customers, and with new devices that nobody owns."""
    values = _window(at, rules) | {"customer_ids": list(customers), "device_ids": list(unowned)}
    with conn.cursor(row_factory=kwargs_row(_candidate)) as cursor:
        return cursor.execute(_Q["select_what_goes_with_new_devices"], values).fetchall()


def _window(at: datetime, rules: Rules) -> dict[str, Any]:
    return {"at": at, "since": at - timedelta(days=rules.new_device_days)}


def _candidate(
    *,
    customer_id: CustomerId | None,
    device_id: DeviceId,
    serial: str,
    names: Names,
    installed_at: datetime,
    sku: Sku,
    relation: str,
    evidence: str,
    condition: str | None,
) -> Candidate:
    new = NewDevice(DeviceInUse(serial, names, installed_at), relation, evidence, condition)
    return Candidate(customer_id, Subject.of_device(device_id), sku, new)


def judge(new: NewDevice, situation: Situation, *, at: datetime, rules: Rules) -> Iterator[Gate]:
    """Every rule with its reason."""
    facts = situation.facts
    yield gates.customer_known(situation.customer)
    yield gates.consented(situation.customer, situation.consents, NEEDS)
    yield _device_new(new, rules, at)
    yield gates.no_open_offer(facts)
    yield gates.not_answered(facts, needed=False)
    yield _not_owned(facts)
    yield gates.compatible(facts)
    yield gates.price_known(situation.product)


def _device_new(new: NewDevice, rules: Rules, at: datetime) -> Gate:
    age = at - new.device.installed_at
    passed = timedelta(0) <= age <= timedelta(days=rules.new_device_days)
    return Gate(GateName.DEVICE_NEW, passed, f"installed {age.days} days ago, new for {rules.new_device_days}")


def _not_owned(facts: Facts) -> Gate:
    why = f"the household {'has' if facts.owned else 'has not'} got or ordered one"
    return Gate(GateName.NOT_OWNED, not facts.owned, why)


def why_moot(facts: Facts) -> Withdrawal | None:
    """Why an open offer has lost its point: the household has one, or ordered it."""
    return Withdrawal.OWNED if facts.owned else None


def compute_terms(list_price: Money, time_zone: str, *, at: datetime, rules: Rules) -> Terms:
    """Reduced, and open for two weeks; no date of the device's says until when."""
    until = midnight(at + timedelta(days=OPEN_DAYS + 1), time_zone)
    price = reduced(list_price, rules.discount_bp)
    return Terms(list_price, price, valid_from=at, reply_by=until, valid_until=until, in_time=True)


def compute_score(new: NewDevice, *, at: datetime, rules: Rules) -> float:
    """How urgent, from 0 to 1: the sooner the device is no longer new, the higher."""
    return urgency(rules.new_device_days - (at - new.device.installed_at) / timedelta(days=1))


def speak(new: NewDevice, facts: ReasonFacts) -> Spoken:
    """Which words tell of the offer, and what goes into them."""
    return Spoken(
        why="condition" if new.condition else "plain",
        names={"device": new.device.names, "product": facts.product or {"en": ""}},
        days={"installed": new.device.installed_at},
        plain={"condition": new.condition or ""},
    )
