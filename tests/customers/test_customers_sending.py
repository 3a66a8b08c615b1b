"""Sending: what a customer said, and what the law of where they live adds to it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from customers.accounts import register_customer, set_country
from customers.consent import record_consent
from customers.nouns import Medium, Purpose
from customers.regions import Region, find_country, region_of
from customers.sending import MARKETING, Because, Verdict, Word, may, may_send, select_renewals
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId
from tests.people import AT, make_customer, merge

DAY = timedelta(days=1)
KR, EU, CN = (region_of(country) for country in ("KR", "DE", "CN"))
ELSEWHERE = region_of(None)
SEOUL, BERLIN, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SMS, NIGHT = Purpose.MARKETING_SMS, Purpose.MARKETING_NIGHT
NOON = datetime(2026, 2, 1, 12, tzinfo=SEOUL)
YES = {SMS: Word(True, NOON - DAY)}
BOTH = YES | {NIGHT: Word(True, NOON - DAY)}


def ask(at: datetime, words: dict[Purpose, Word], *, region: Region = KR, zone: ZoneInfo = SEOUL) -> Verdict:
    return may(SMS, Medium.SMS, at, region, words, zone)


def say(conn: WriteConnection, customer_id: CustomerId, purpose: Purpose, given: bool, at: datetime) -> None:
    record_consent(conn, customer_id, purpose, version=1, given=given, at=at, source="app", evidence={})


@pytest.mark.parametrize(
    ("hour", "minute", "allowed"), [(20, 59, True), (21, 0, False), (3, 0, False), (7, 59, False), (8, 0, True)]
)
def test_advertising_at_night_needs_a_yes_of_its_own_in_korea(hour: int, minute: int, allowed: bool) -> None:
    at = datetime(2026, 2, 3, hour, minute, tzinfo=SEOUL)
    assert ask(at, YES).allowed is allowed
    assert ask(at, BOTH).allowed
    assert ask(at, YES, region=EU).allowed
    assert may(
        Purpose.MARKETING_EMAIL, Medium.EMAIL, at, KR, {Purpose.MARKETING_EMAIL: Word(True, NOON)}, SEOUL
    ).allowed


def test_a_verdict_says_until_when_it_is_good_and_how_an_advertisement_begins() -> None:
    evening, morning = datetime(2026, 2, 1, 21, tzinfo=SEOUL), datetime(2026, 2, 2, 8, tzinfo=SEOUL)
    assert ask(NOON, YES) == Verdict(True, Because.AGREED, evening, "(광고)")
    assert ask(evening, YES) == Verdict(False, Because.NIGHT, morning)
    assert ask(NOON, BOTH) == Verdict(True, Because.AGREED, NOON - DAY + 730 * DAY, "(광고)")
    assert ask(NOON, YES, region=ELSEWHERE) == Verdict(True, Because.AGREED, None)
    assert ask(NOON, {}) == Verdict(False, Because.NOT_AGREED, None)


def test_a_yes_is_good_for_two_years_in_korea_and_until_a_no_elsewhere() -> None:
    last = NOON - DAY + 730 * DAY
    assert ask(last - timedelta(seconds=1), BOTH).allowed
    assert ask(last, BOTH) == Verdict(False, Because.YES_TOO_OLD, None)
    assert ask(last, BOTH, region=EU).allowed


def test_a_yes_for_the_night_grows_old_too_in_the_middle_of_one() -> None:
    midnight = datetime(2026, 2, 2, tzinfo=SEOUL)
    words = {SMS: Word(True, NOON), NIGHT: Word(True, midnight - 730 * DAY)}
    assert ask(midnight - timedelta(minutes=1), words) == Verdict(True, Because.AGREED, midnight, "(광고)")
    assert ask(midnight, words) == Verdict(False, Because.NIGHT, midnight + timedelta(hours=8))


def test_only_a_yes_is_enough_in_korea_whatever_the_basis() -> None:
    silent = {Purpose.MARKETING_APP: Word(True)}
    verdicts = [may(Purpose.MARKETING_APP, Medium.PUSH, NOON, region, silent, SEOUL) for region in (KR, EU, CN)]
    assert [verdict.because for verdict in verdicts] == [Because.YES_NEEDED, Because.AGREED, Because.AGREED]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, date(2026, 3, 28), 10),  # Clocks go forward in that night,
        (BERLIN, date(2026, 10, 24), 12),  # and back in this.
        (NEW_YORK, date(2026, 3, 7), 10),
        (NEW_YORK, date(2026, 10, 31), 12),
        (SEOUL, date(2026, 3, 28), 11),
    ],
)
def test_the_night_is_of_the_customers_own_clock_also_when_it_is_set(zone: ZoneInfo, day: date, hours: int) -> None:
    begins = datetime.combine(day, time(21), zone).astimezone(UTC)
    ends = begins + timedelta(hours=hours)
    second = timedelta(seconds=1)
    assert ask(begins - second, YES, zone=zone) == Verdict(True, Because.AGREED, begins, "(광고)")
    assert ask(begins, YES, zone=zone) == Verdict(False, Because.NIGHT, ends)
    assert not ask(ends - second, YES, zone=zone).allowed
    assert ask(ends, YES, zone=zone).allowed


@pytest.mark.parametrize(
    ("said", "locale", "zone", "country"),
    [
        (None, "en", "Asia/Seoul", "KR"),
        (None, "ko-KR", "Europe/Berlin", "DE"),
        (None, "zh-CN", "UTC", "CN"),
        (None, "zh-Hans", "UTC", None),
        (None, "ko", "UTC", None),
        ("KR", "en", "America/New_York", "KR"),
    ],
)
def test_a_customer_lives_where_they_said_or_their_clock_or_language_says(
    said: str | None, locale: str, zone: str, country: str | None
) -> None:
    assert find_country(said, locale, zone) == country


def test_sending_looks_at_the_word_the_place_and_the_clock_of_the_customer(conn: WriteConnection) -> None:
    kim = register_customer(conn, name="Kim", at=AT, time_zone="America/New_York").customer_id
    noon = datetime(2026, 2, 3, 12, tzinfo=NEW_YORK)
    assert may_send(conn, kim, Medium.SMS, noon).because is Because.NOT_AGREED
    say(conn, kim, SMS, True, AT)
    assert may_send(conn, kim, Medium.SMS, noon) == Verdict(True, Because.AGREED, None)
    set_country(conn, kim, "KR")
    at_night = noon.replace(hour=23)
    assert may_send(conn, kim, Medium.SMS, noon).mark == "(광고)"
    assert may_send(conn, kim, Medium.SMS, at_night).because is Because.NIGHT
    say(conn, kim, NIGHT, True, AT)
    assert may_send(conn, kim, Medium.SMS, at_night).allowed
    say(conn, kim, SMS, False, noon)
    assert may_send(conn, kim, Medium.SMS, noon) == Verdict(False, Because.NOT_AGREED, None)
    assert not may_send(conn, CustomerId("cus_none"), Medium.SMS, noon).allowed
    with pytest.raises(InvalidInput, match="is not a country like KR"):
        set_country(conn, kim, "XX")


def test_whoever_said_yes_too_long_ago_is_on_the_list_of_whom_to_ask_again(conn: WriteConnection) -> None:
    kim, lee, ann = (make_customer(conn, time_zone=zone) for zone in ("Asia/Seoul", "Asia/Seoul", "Europe/Berlin"))
    for each in (kim, lee, ann):
        say(conn, each.customer_id, SMS, True, AT)
    due = AT + 730 * DAY
    found = select_renewals(conn, due - 10 * DAY, within=30 * DAY)
    mine = {kim.customer_id, lee.customer_id, ann.customer_id}
    assert {each.customer_id for each in found} & mine == {kim.customer_id, lee.customer_id}
    assert {(each.purpose, each.said_at, each.ends, each.region) for each in found} == {(SMS, AT, due, "KR")}
    assert select_renewals(conn, due - 31 * DAY, within=30 * DAY) == []
    say(conn, kim.customer_id, SMS, True, due - 20 * DAY)
    say(conn, lee.customer_id, SMS, False, due - 20 * DAY)
    assert select_renewals(conn, due, within=30 * DAY) == []


def test_who_was_merged_is_asked_again_once_and_not_when_either_said_it_anew(conn: WriteConnection) -> None:
    kim, old = make_customer(conn), make_customer(conn)
    say(conn, old.customer_id, SMS, True, AT)
    merge(conn, old, into=kim)
    due = AT + 730 * DAY
    assert [each.customer_id for each in select_renewals(conn, due, within=DAY)] == [kim.customer_id]
    say(conn, kim.customer_id, SMS, True, AT + DAY)
    assert select_renewals(conn, due, within=timedelta(0)) == []


def test_every_medium_needs_a_purpose_for_which_renewal_is_asked(conn: WriteConnection) -> None:
    kim = make_customer(conn).customer_id
    for purpose in MARKETING:
        say(conn, kim, purpose, True, AT)
    assert all(may_send(conn, kim, medium, AT + DAY).allowed for medium in Medium)
    assert {each.purpose for each in select_renewals(conn, AT + 730 * DAY, within=DAY)} == MARKETING
