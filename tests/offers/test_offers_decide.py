"""The decision itself: every rule alone, and terms that are always plain. No database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.nouns import Product
from customers.nouns import Customer
from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, OfferId, Sku
from millpond.kernel.money import Money
from offers.decide import compute_terms, decide_offer, why_moot
from offers.nouns import Candidate, Depletion, Facts, LeadTime, OfferState, Outcome, Rules, Trigger, Verdict

AT = datetime(2026, 2, 21, 6, tzinfo=UTC)
DAY = timedelta(days=1)
P10 = AT + 10 * DAY
RULES = Rules(LeadTime(delivery_days=3, margin_days=7), discount_bp=1000, new_device_days=30)
DEPLETION = Depletion(AT - DAY, "rate", None, None, 24.0, 10.0, P10, P10 + 4 * DAY, P10 + 8 * DAY)
PART = Candidate(
    trigger=Trigger.DEPLETION,
    customer_id=CustomerId("cus_1"),
    device_id=DeviceId(1),
    serial="AIR-1",
    names={"en": "Reed Air 2"},
    device_installed_at=AT - 200 * DAY,
    sku=Sku("REED-HEPA-H13"),
    installation_id=InstallationId(1),
    part_names={"en": "HEPA filter H13"},
    depletion=DEPLETION,
)
EXTRA = replace(
    PART,
    trigger=Trigger.NEW_DEVICE,
    installation_id=None,
    depletion=None,
    device_installed_at=AT - DAY,
    part_names=None,
)
CLEAR = Facts(None, None, None, None, spare=0, rank=1, owned=False, replaced=False)
CUSTOMER = Customer(CustomerId("cus_1"), None, "Kim", "ko", "Asia/Seoul", AT)
PRODUCT = Product(Sku("REED-HEPA-H13"), {"en": "HEPA filter H13"}, "filter", Money(3990, "EUR"))


def decide(
    candidate: Candidate = PART,
    facts: Facts = CLEAR,
    customer: Customer | None = CUSTOMER,
    product: Product | None = PRODUCT,
) -> Verdict:
    return decide_offer(candidate, facts, customer, product, at=AT, rules=RULES)


@pytest.mark.parametrize("candidate", [PART, EXTRA])
def test_a_clear_case_is_issued_and_says_why_every_rule_passed(candidate: Candidate) -> None:
    verdict = decide(candidate)
    assert verdict.outcome is Outcome.ISSUED
    assert verdict.failed_gate is None
    assert all(gate.why for gate in verdict.gates)


@pytest.mark.parametrize(
    ("given_", "gate", "why"),
    [
        ({"customer": None}, "customer_known", "the device belongs to nobody we know"),
        (
            {"candidate": replace(PART, depletion=replace(DEPLETION, p10=None, reason="two readings only"))},
            "forecast_good",
            "the forecast has no dates: two readings only",
        ),
        (
            {"candidate": replace(PART, depletion=replace(DEPLETION, reason="odd", reason_code="sudden_fall"))},
            "not_in_doubt",
            "its readings are in doubt: odd",
        ),
        (
            {"candidate": replace(PART, depletion=replace(DEPLETION, p10=P10 + DAY))},
            "due",
            "due on 2026-02-22: 3 days of delivery and 7 of margin before 2026-03-04",
        ),
        ({"facts": replace(CLEAR, replaced=True)}, "not_replaced", "the part was replaced"),
        ({"facts": replace(CLEAR, open_offer=OfferId("off_1"))}, "no_open_offer", "offer off_1 is open"),
        (
            {"facts": replace(CLEAR, last_answer=OfferState.DECLINED, last_answer_at=AT - 100 * DAY)},
            "not_answered",
            "an offer of this was declined on 2025-11-13: it is not made again",
        ),
        (
            {"facts": replace(CLEAR, spare=2, rank=2)},
            "not_ordered",
            "2 at home or on the way, 1 other parts of the household come first",
        ),
        ({"facts": replace(CLEAR, incompatible="too wide")}, "compatible", "it does not fit: too wide"),
        ({"product": None}, "price_known", "the product is not in the catalogue"),
        ({"candidate": replace(EXTRA, device_installed_at=AT - 31 * DAY)}, "device_new", "installed 31 days ago"),
        (
            {"candidate": EXTRA, "facts": replace(CLEAR, owned=True)},
            "not_owned",
            "the household has got or ordered one",
        ),
        (
            {"candidate": EXTRA, "facts": replace(CLEAR, last_answer=OfferState.EXPIRED, last_answer_at=AT - 99 * DAY)},
            "not_answered",
            "it is not made again",
        ),
    ],
)
def test_every_rule_alone_stands_against_an_offer_and_says_why(given_: dict[str, Any], gate: str, why: str) -> None:
    verdict = decide(**given_)
    assert (verdict.outcome, verdict.failed_gate, verdict.terms) == (Outcome.NOT_ISSUED, gate, None)
    assert why in next(g.why for g in verdict.gates if g.gate == gate)
    if gate != "forecast_good":  # without dates nobody knows when it is due either
        assert [g.gate for g in verdict.gates if not g.passed] == [gate]


def test_after_silence_a_need_is_offered_at_the_plain_price() -> None:
    asked = replace(CLEAR, last_answer=OfferState.EXPIRED, last_answer_at=AT)
    reduced, plain = decide().terms, decide(facts=asked).terms
    assert reduced is not None
    assert plain is not None
    assert reduced.price != reduced.list_price == plain.list_price == plain.price


@pytest.mark.parametrize(
    ("facts", "trigger", "moot"),
    [
        (CLEAR, Trigger.DEPLETION, False),
        (replace(CLEAR, owned=True, open_offer=OfferId("off_1")), Trigger.DEPLETION, False),
        (replace(CLEAR, spare=1), Trigger.DEPLETION, True),
        (replace(CLEAR, spare=1, rank=2), Trigger.DEPLETION, False),
        (replace(CLEAR, replaced=True), Trigger.DEPLETION, True),
        (replace(CLEAR, owned=True), Trigger.NEW_DEVICE, True),
        (replace(CLEAR, spare=1), Trigger.NEW_DEVICE, False),
    ],
)
def test_an_open_offer_is_moot_when_it_has_lost_its_point(facts: Facts, trigger: Trigger, moot: bool) -> None:
    assert (why_moot(facts, trigger) is not None) is moot


@settings(deadline=None)  # Time zones are loaded on first use, and a busy machine takes its time.
@given(
    price=st.integers(1, 10**12),
    discount_bp=st.integers(0, 9000),
    away=st.timedeltas(min_value=-400 * DAY, max_value=400 * DAY),
    delivery=st.integers(0, 30),
    zone=st.sampled_from(["UTC", "Asia/Seoul", "America/Sao_Paulo", "Europe/Berlin", "Pacific/Chatham"]),
    plain=st.booleans(),
)
def test_terms_can_always_be_understood(
    price: int, discount_bp: int, away: timedelta, delivery: int, zone: str, plain: bool
) -> None:
    rules = Rules(LeadTime(delivery, 7), discount_bp, 30)
    depletion = replace(DEPLETION, p10=AT + away)
    terms = compute_terms(Money(price, "EUR"), depletion, zone, at=AT, rules=rules, plain=plain)
    assert not plain or terms.price == terms.list_price
    assert 0 < terms.price.amount_minor <= terms.list_price.amount_minor == price
    assert AT < terms.reply_by <= terms.valid_until
    ends = terms.valid_until.astimezone(ZoneInfo(zone))
    assert (ends.hour, ends.minute) == (0, 0)
    if terms.in_time:
        assert terms.reply_by + timedelta(days=delivery) <= AT + away
