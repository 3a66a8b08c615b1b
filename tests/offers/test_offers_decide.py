"""The decision itself: every rule alone, and terms that are always plain. No database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.nouns import Product
from customers.nouns import Customer, Purpose
from devices.depletion import DepletionDates
from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, OfferId, Sku
from millpond.kernel.money import Money
from offers.causes import Candidate, DeviceInUse, NewDevice, PartForecast, WornPart
from offers.decide import decide_offer
from offers.nouns import LeadTime, OfferState, Outcome, ReasonCode, Rules, Subject, Withdrawal
from offers.triggers.union import compute_terms, why_moot
from offers.verdict import Facts, Situation, Verdict

AT = datetime(2026, 2, 21, 6, tzinfo=UTC)
DAY = timedelta(days=1)
P10 = AT + 10 * DAY
RULES = Rules(LeadTime(delivery_days=3, margin_days=7), discount_bp=1000, new_device_days=30)
DATES = DepletionDates(P10, P10 + 4 * DAY, P10 + 8 * DAY)
FORECAST = PartForecast(AT - DAY, "rate", None, None, 24.0, 10.0, DATES)
DEVICE = DeviceInUse("AIR-1", {"en": "Reed Air 2"}, AT - 200 * DAY)
WORN = WornPart(DEVICE, {"en": "HEPA filter H13"}, FORECAST)
NEW = NewDevice(replace(DEVICE, installed_at=AT - DAY), "accessory", "it fits", None)
PART = Candidate(CustomerId("cus_1"), Subject.of_part(DeviceId(1), InstallationId(1)), Sku("REED-HEPA-H13"), WORN)
OLD = replace(NEW, device=replace(DEVICE, installed_at=AT - 31 * DAY))
EXTRA = replace(PART, subject=Subject.of_device(DeviceId(1)), cause=NEW)
CLEAR = Facts(None, None, None, None, spare=0, rank=1, owned=False, replaced=False)
CUSTOMER = Customer(CustomerId("cus_1"), None, "Kim", "ko", "Asia/Seoul", AT)
AGREED = frozenset({Purpose.DEVICE_PROFILING, Purpose.PERSONALISATION, Purpose.MARKETING_APP})
PRODUCT = Product(Sku("REED-HEPA-H13"), {"en": "HEPA filter H13"}, "filter", Money(3990, "EUR"))


def decide(
    candidate: Candidate = PART,
    facts: Facts = CLEAR,
    customer: Customer | None = CUSTOMER,
    product: Product | None = PRODUCT,
    consents: frozenset[Purpose] = AGREED,
) -> Verdict:
    return decide_offer(Situation(candidate, facts, customer, consents, product), at=AT, rules=RULES)


def worn(**changes: Any) -> Candidate:
    return replace(PART, cause=replace(WORN, forecast=replace(FORECAST, **changes)))


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
        *[
            ({"candidate": candidate, "consents": AGREED - {purpose}}, "consented", f"does not agree to {purpose}")
            for candidate, purpose in (
                (PART, Purpose.DEVICE_PROFILING),
                (PART, Purpose.MARKETING_APP),
                (EXTRA, Purpose.PERSONALISATION),
                (EXTRA, Purpose.MARKETING_APP),
            )
        ],
        (
            {"candidate": worn(dates=None, reason="two readings only")},
            "forecast_good",
            "the forecast has no dates: two readings only",
        ),
        (
            {"candidate": worn(reason="odd", reason_code="sudden_fall")},
            "not_in_doubt",
            "its readings are in doubt: odd",
        ),
        (
            {"candidate": worn(dates=replace(DATES, p10=P10 + DAY))},
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
        ({"candidate": replace(EXTRA, cause=OLD)}, "device_new", "installed 31 days ago"),
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


@given(
    name=st.text(min_size=1, max_size=20),
    locale=st.sampled_from(["en", "ko", "zh-CN", "de-DE"]),
    zone=st.sampled_from(["Asia/Seoul", "Asia/Shanghai", "Europe/Berlin", "UTC"]),
    since=st.integers(0, 5_000),
    spare=st.integers(0, 3),
    candidate=st.sampled_from([PART, EXTRA]),
)
def test_an_offer_costs_everybody_the_same_whoever_they_are(
    name: str, locale: str, zone: str, since: int, spare: int, candidate: Candidate
) -> None:
    somebody = Customer(CustomerId(f"cus_{name}"), name, name, locale, zone, AT - since * DAY)
    facts = replace(CLEAR, spare=spare, rank=spare + 1)
    terms, of_kim = decide(candidate, facts, somebody).terms, decide(candidate).terms
    assert terms is not None
    assert of_kim is not None
    assert (terms.list_price, terms.price) == (of_kim.list_price, of_kim.price)


def test_after_silence_a_need_is_offered_at_the_plain_price() -> None:
    asked = replace(CLEAR, last_answer=OfferState.EXPIRED, last_answer_at=AT)
    reduced, plain = decide().terms, decide(facts=asked).terms
    assert reduced is not None
    assert plain is not None
    assert reduced.price != reduced.list_price == plain.list_price == plain.price


@pytest.mark.parametrize(
    ("facts", "reason", "moot"),
    [
        (CLEAR, ReasonCode.DEPLETION, None),
        (replace(CLEAR, owned=True, open_offer=OfferId("off_1")), ReasonCode.DEPLETION, None),
        (replace(CLEAR, spare=1), ReasonCode.DEPLETION, Withdrawal.PROVIDED_FOR),
        (replace(CLEAR, spare=1, rank=2), ReasonCode.DEPLETION, None),
        (replace(CLEAR, replaced=True), ReasonCode.DEPLETION, Withdrawal.REPLACED),
        (replace(CLEAR, replaced=True, undone=True), ReasonCode.DEPLETION, Withdrawal.REPLACEMENT_UNDONE),
        (replace(CLEAR, owned=True), ReasonCode.FITS_NEW_DEVICE, Withdrawal.OWNED),
        (replace(CLEAR, spare=1), ReasonCode.FITS_NEW_DEVICE, None),
    ],
)
def test_an_open_offer_is_moot_when_it_has_lost_its_point(
    facts: Facts, reason: ReasonCode, moot: Withdrawal | None
) -> None:
    assert why_moot(reason, facts, AGREED) is moot


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
    part = replace(WORN, forecast=replace(FORECAST, dates=replace(DATES, p10=AT + away)))
    terms = compute_terms(part, Money(price, "EUR"), zone, at=AT, rules=rules, plain=plain)
    assert not plain or terms.price == terms.list_price
    assert 0 < terms.price.amount_minor <= terms.list_price.amount_minor == price
    assert AT < terms.reply_by <= terms.valid_until
    ends = terms.valid_until.astimezone(ZoneInfo(zone))
    assert (ends.hour, ends.minute) == (0, 0)
    if terms.in_time:
        assert terms.reply_by + timedelta(days=delivery) <= AT + away
