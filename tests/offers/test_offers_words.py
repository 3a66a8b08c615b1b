"""Offers and decisions in words, in three languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
import yaml

from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import BindingId, CustomerId, DecisionId, DeviceId, InstallationId, OfferId, Sku
from millpond.kernel.language import LANGUAGES
from millpond.kernel.money import Money
from offers.explain import explain_decision, explain_offer
from offers.nouns import GateName, Offer, OfferState, Outcome, ReasonCode, Subject
from offers.store import select_decisions
from tests.household import current_part, forecast, make_device, run_job
from tests.people import AT, make_shop

FACTS: dict[str, Any] = {
    "sku": "REED-HEPA-H13",
    "product": {"en": "HEPA filter H13", "ko": "헤파 필터 H13", "zh": "H13 滤芯"},
    "serial": "AIR-1",
    "device": {"en": "Reed Air 2", "ko": "리드 에어 2", "zh": "Reed 空气净化器 2"},
    "device_installed_at": "2026-02-10T20:00:00+00:00",
    "part": {"en": "HEPA filter H13", "ko": "헤파 필터 H13", "zh": "H13 滤芯"},
    "depletion": {
        "at": "2026-02-13T18:00:00+00:00",
        "method": "rate",
        "reason": None,
        "reason_code": None,
        "remaining_pct": 14.0,
        "threshold_pct": 10.0,
        "p10": "2026-02-16T18:00:00+00:00",
        "p50": "2026-03-02T18:00:00+00:00",
        "p90": "2026-03-08T18:00:00+00:00",
    },
    "relation": None,
    "evidence": None,
    "condition": None,
    "in_time": True,
    "delivery_days": 3,
}
OFFER = Offer(
    offer_id=OfferId("off_1"),
    decision_id=DecisionId("dec_1"),
    customer_id=CustomerId("cus_1"),
    subject=Subject.of_part(DeviceId(1), InstallationId(1)),
    sku=Sku("REED-HEPA-H13"),
    reason_code=ReasonCode.DEPLETION,
    facts=FACTS,
    state=OfferState.OPEN,
    list_price=Money(3990, "EUR"),
    price=Money(3591, "EUR"),
    valid_from=datetime(2026, 2, 14, tzinfo=UTC),
    reply_by=datetime(2026, 2, 20, 15, tzinfo=UTC),
    valid_until=datetime(2026, 2, 20, 15, tzinfo=UTC),
    binding_id=BindingId("bnd_1"),
    credited_to=None,
    issued_at=datetime(2026, 2, 14, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("locale", "headline", "why", "terms"),
    [
        (
            "en-GB",
            "HEPA filter H13 for your Reed Air 2",
            (
                "Your Reed Air 2's HEPA filter H13 lasts until about 3 March."
                " Reply by Friday 20 February and it arrives in time."
            ),
            "€35.91 instead of €39.90, until 20 February.",
        ),
        (
            "ko-KR",
            "리드 에어 2 교체용 헤파 필터 H13",
            (
                "리드 에어 2에 쓰고 계신 헤파 필터 H13, 3월 3일쯤까지 사용하실 수 있어요."
                " 2월 20일 금요일까지 주문하시면 늦지 않게 받아보실 수 있습니다."
            ),
            "2월 20일까지 정가 €39.90 → €35.91",
        ),
        (
            "zh_Hans_CN",
            "为您的Reed 空气净化器 2更换H13 滤芯",
            (
                "您的Reed 空气净化器 2所用的H13 滤芯预计可用到3月3日左右。"
                "请在2月20日星期五前（含当日）回复，即可按时送达。"
            ),
            "原价€39.90，现价€35.91，有效期至2月20日。",
        ),
    ],
)
def test_an_offer_says_why_until_when_and_at_what_price(locale: str, headline: str, why: str, terms: str) -> None:
    reason = explain_offer(OFFER, locale=locale, time_zone="Asia/Seoul")
    assert (reason.headline, reason.why, reason.terms) == (headline, why, terms)


def test_days_are_the_customers_own() -> None:
    why = explain_offer(OFFER, locale="en", time_zone="America/New_York").why
    assert "until about 2 March. Reply by Friday 20 February" in why


def test_a_language_we_do_not_speak_is_english() -> None:
    assert explain_offer(OFFER, locale="sv", time_zone="UTC").headline == "HEPA filter H13 for your Reed Air 2"


LATE = replace(OFFER, facts=FACTS | {"in_time": False})


@pytest.mark.parametrize(
    ("language", "early", "about"),
    [
        (
            "en",
            "may be used up as early as 16 February, which may be sooner than a delivery takes (3 days).",
            "2 March",
        ),
        ("ko", "빠르면 2월 16일에 수명이 다할 수 있어요. 배송에 3일이 걸려", "3월 2일"),
        ("zh", "最早可能在2月16日用完，而配送需要3天，可能来不及送达。", "3月2日"),
    ],
)
def test_an_offer_that_comes_late_names_the_early_date_and_promises_nothing(
    language: str, early: str, about: str
) -> None:
    why = explain_offer(LATE, locale=language, time_zone="UTC").why
    assert early in why
    assert about not in why


def test_an_early_date_that_has_passed_is_the_day_of_the_offer() -> None:
    later = replace(LATE, issued_at=datetime(2026, 2, 18, tzinfo=UTC))
    assert "as early as 18 February" in explain_offer(later, locale="en", time_zone="UTC").why


def test_a_part_past_its_end_is_due_now() -> None:
    overdue = replace(OFFER, issued_at=OFFER.issued_at + timedelta(days=30))
    why = explain_offer(overdue, locale="en", time_zone="UTC").why
    assert why.startswith("Your Reed Air 2's HEPA filter H13 is due to be replaced now.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_joins_a_new_device_names_the_device_and_how_they_connect(language: str) -> None:
    edge = {"relation": "accessory", "evidence": "HDMI eARC", "condition": "HDMI eARC"}
    facts = FACTS | {"part": None, "depletion": None} | edge
    offer = replace(OFFER, reason_code=ReasonCode.FITS_NEW_DEVICE, facts=facts)
    why = explain_offer(offer, locale=language, time_zone="Asia/Seoul").why
    expected = {"en": "11 February", "ko": "2월 11일", "zh": "2月11日"}[language]
    assert all(word in why for word in (FACTS["device"][language], "HDMI eARC", expected))


def test_without_a_discount_no_price_before_is_claimed() -> None:
    plain = replace(OFFER, price=OFFER.list_price)
    assert explain_offer(plain, locale="en", time_zone="UTC").terms == "€39.90, until 20 February."


def words(language: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((files("offers") / "words" / f"{language}.yaml").read_text("utf-8"))
    return told


def test_every_language_has_the_same_words() -> None:
    def keys(tree: object, path: str = "") -> set[str]:
        if not isinstance(tree, dict):
            return {path}
        return {leaf for name, branch in tree.items() for leaf in keys(branch, f"{path}.{name}")}

    spoken = [keys(words(language)) for language in LANGUAGES]
    assert spoken[0] == spoken[1] == spoken[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_gate_has_words_and_there_are_none_for_another(language: str) -> None:
    assert set(words(language)["decision"]) == {*GateName, "issued"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_decision_can_be_said_in_plain_words(conn: WriteConnection, language: str) -> None:
    shop = make_shop(conn)
    device = make_device(conn, "AIR-1", "reed-air-2", shop.customer.customer_id, AT - timedelta(days=200))
    forecast(conn, current_part(conn, device), None, at=AT)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    run_job(conn, AT)
    decisions = select_decisions(conn, customer_id=shop.customer.customer_id)
    gates = {gate.gate for decision in decisions for gate in decision.gates}
    assert gates == set(GateName)
    for decision in decisions:
        spoken = explain_decision(decision, locale=language)
        assert decision.candidates[0]["product"][language] in spoken
        for gate in gates:
            denied = replace(decision, outcome=Outcome.NOT_ISSUED, failed_gate=gate)
            assert explain_decision(denied, locale=language) not in ("", spoken if decision.failed_gate != gate else "")
