"""For what a customer's data may be used: until they say no, or once they say yes, and what they said stays."""

from datetime import datetime, timedelta

import psycopg
import pytest

from customers.consent import consents_in_force, record_consent
from customers.nouns import Medium, Purpose
from customers.sending import may_send
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import CustomerId
from millpond.kernel.migrate import migrate
from tests.old_database import OLD_AT, old_database
from tests.people import AT, make_customer, merge

HOUR = timedelta(hours=1)
UNTIL_WITHDRAWN = {Purpose.SERVICE, Purpose.PERSONALISATION, Purpose.DEVICE_PROFILING, Purpose.MARKETING_APP}
ONCE_GIVEN = set(Purpose) - UNTIL_WITHDRAWN


def say(
    conn: WriteConnection, customer_id: CustomerId, purpose: Purpose, given: bool, at: datetime, version: int = 1
) -> None:
    evidence = {"request": "req_1"}
    record_consent(conn, customer_id, purpose, version=version, given=given, at=at, source="app", evidence=evidence)


def renew(conn: WriteConnection, purpose: Purpose, basis: str, valid_from: datetime) -> None:
    """Version 2 of a purpose."""
    conn.execute(
        "insert into purpose select purpose, 2, %s, words, %s from purpose where purpose = %s and version = 1",
        [basis, valid_from, purpose],
    )


def test_who_said_nothing_has_what_the_product_always_did_and_no_more(conn: WriteConnection) -> None:
    customer_id = make_customer(conn).customer_id
    assert consents_in_force(conn, [customer_id], AT) == {customer_id: UNTIL_WITHDRAWN}


@pytest.mark.parametrize("purpose", sorted(UNTIL_WITHDRAWN))
def test_a_purpose_of_the_service_holds_until_it_is_withdrawn(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_customer(conn).customer_id
    say(conn, customer_id, purpose, False, AT)
    say(conn, customer_id, purpose, True, AT + 2 * HOUR)
    held = [
        purpose in consents_in_force(conn, [customer_id], at)[customer_id]
        for at in (AT - HOUR, AT, AT + HOUR, AT + 2 * HOUR)
    ]
    assert held == [True, False, False, True]


@pytest.mark.parametrize("purpose", sorted(ONCE_GIVEN))
def test_a_purpose_by_consent_holds_from_yes_to_no(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_customer(conn).customer_id
    say(conn, customer_id, purpose, True, AT)
    say(conn, customer_id, purpose, False, AT + 2 * HOUR)
    held = [
        purpose in consents_in_force(conn, [customer_id], at)[customer_id]
        for at in (AT - HOUR, AT, AT + HOUR, AT + 2 * HOUR)
    ]
    assert held == [False, True, True, False]


def test_of_two_words_of_one_moment_the_later_written_counts(conn: WriteConnection) -> None:
    customer_id = make_customer(conn).customer_id
    say(conn, customer_id, Purpose.RESEARCH, True, AT)
    say(conn, customer_id, Purpose.RESEARCH, False, AT)
    assert Purpose.RESEARCH not in consents_in_force(conn, [customer_id], AT)[customer_id]


def test_a_yes_is_to_one_version_and_a_no_to_all_that_follow(conn: WriteConnection) -> None:
    yes, no = make_customer(conn).customer_id, make_customer(conn).customer_id
    say(conn, yes, Purpose.LOCATION, True, AT)
    say(conn, no, Purpose.MARKETING_APP, False, AT)
    renew(conn, Purpose.LOCATION, "consent", AT + HOUR)
    renew(conn, Purpose.MARKETING_APP, "legitimate_interest", AT + HOUR)
    before, after = (consents_in_force(conn, [yes, no], at) for at in (AT, AT + HOUR))
    assert (Purpose.LOCATION in before[yes], Purpose.LOCATION in after[yes]) == (True, False)
    assert Purpose.MARKETING_APP not in after[no]
    assert Purpose.MARKETING_APP in after[yes]
    say(conn, yes, Purpose.LOCATION, True, AT + HOUR, version=2)
    assert Purpose.LOCATION in consents_in_force(conn, [yes], AT + HOUR)[yes]


def test_a_purpose_that_becomes_one_by_consent_has_to_be_given(conn: WriteConnection) -> None:
    customer_id = make_customer(conn).customer_id
    renew(conn, Purpose.MARKETING_APP, "consent", AT + HOUR)
    assert Purpose.MARKETING_APP in consents_in_force(conn, [customer_id], AT)[customer_id]
    assert Purpose.MARKETING_APP not in consents_in_force(conn, [customer_id], AT + HOUR)[customer_id]


def test_many_customers_are_told_apart_in_one_query(conn: WriteConnection) -> None:
    ids = [make_customer(conn).customer_id for _ in range(3)]
    say(conn, ids[0], Purpose.RESEARCH, True, AT)
    say(conn, ids[1], Purpose.SERVICE, False, AT)
    assert consents_in_force(conn, ids, AT) == {
        ids[0]: UNTIL_WITHDRAWN | {Purpose.RESEARCH},
        ids[1]: UNTIL_WITHDRAWN - {Purpose.SERVICE},
        ids[2]: UNTIL_WITHDRAWN,
    }
    assert consents_in_force(conn, [], AT) == {}


def test_what_a_merged_customer_said_counts_for_the_one_who_stays_and_the_newest_word_wins(
    conn: WriteConnection,
) -> None:
    ann, old = make_customer(conn), make_customer(conn)
    ids = [ann.customer_id, old.customer_id]
    say(conn, old.customer_id, Purpose.MARKETING_APP, False, AT)
    say(conn, ann.customer_id, Purpose.RESEARCH, True, AT)
    say(conn, old.customer_id, Purpose.RESEARCH, False, AT + HOUR)
    apart = {ids[0]: UNTIL_WITHDRAWN | {Purpose.RESEARCH}, ids[1]: UNTIL_WITHDRAWN - {Purpose.MARKETING_APP}}
    assert consents_in_force(conn, ids, AT + HOUR) == apart
    merge(conn, old, into=ann)
    together = UNTIL_WITHDRAWN - {Purpose.MARKETING_APP}
    assert consents_in_force(conn, ids, AT + HOUR) == dict.fromkeys(ids, together)
    assert consents_in_force(conn, ids[1:], AT) == {ids[1]: together | {Purpose.RESEARCH}}
    say(conn, ann.customer_id, Purpose.MARKETING_APP, True, AT + 2 * HOUR)
    assert consents_in_force(conn, ids[:1], AT + 2 * HOUR) == {ids[0]: UNTIL_WITHDRAWN}
    conn.execute("update customer set merged_into = null")
    assert consents_in_force(conn, ids, AT + HOUR) == apart


def test_nothing_may_be_done_with_what_is_known_of_nobody(conn: WriteConnection) -> None:
    nobody = CustomerId("cus_none")
    assert consents_in_force(conn, [nobody], AT) == {nobody: frozenset()}


def test_a_query_may_ask_about_one_customer_and_purpose(conn: WriteConnection) -> None:
    customer_id = make_customer(conn).customer_id
    say(conn, customer_id, Purpose.MARKETING_APP, False, AT)
    asked = "select consent_in_force(%s, p, %s) from unnest(%s::text[]) p"
    purposes = [Purpose.MARKETING_APP, Purpose.SERVICE, Purpose.RESEARCH]
    assert conn.execute(asked, [customer_id, AT, purposes]).fetchall() == [(False,), (True,), (False,)]


@pytest.mark.parametrize(
    ("medium", "purpose"),
    [
        (Medium.PUSH, Purpose.MARKETING_APP),
        (Medium.EMAIL, Purpose.MARKETING_EMAIL),
        (Medium.SMS, Purpose.MARKETING_SMS),
        (Medium.MESSENGER, Purpose.MARKETING_MESSENGER),
        (Medium.STAFF, Purpose.STAFF_CONTACT),
    ],
)
def test_sending_needs_the_purpose_of_its_medium_and_no_other(
    conn: WriteConnection, medium: Medium, purpose: Purpose
) -> None:
    willing, unwilling = make_customer(conn).customer_id, make_customer(conn).customer_id
    for other in Purpose:
        say(conn, willing, other, other is purpose, AT)
        say(conn, unwilling, other, other is not purpose, AT)
    assert may_send(conn, willing, medium, AT).allowed
    assert not may_send(conn, unwilling, medium, AT).allowed


def test_what_was_said_and_what_to_is_never_changed(conn: WriteConnection) -> None:
    customer_id = make_customer(conn).customer_id
    say(conn, customer_id, Purpose.RESEARCH, True, AT)
    for change in (
        "update consent set given = false",
        "delete from consent",
        "truncate consent",
        "update purpose set basis = 'contract'",
        "delete from purpose where purpose = 'service'",
    ):
        with pytest.raises(psycopg.IntegrityError) as refused, conn.transaction():
            conn.execute(change)
        assert refused.value.diag.constraint_name == "consent_only_grows"
    row = conn.execute("select purpose, version, given, at, source, evidence from consent").fetchone()
    assert row == ("research", 1, True, AT, "app", {"request": "req_1"})


def test_what_cannot_have_been_said_is_refused(conn: WriteConnection) -> None:
    customer_id = make_customer(conn).customer_id
    with pytest.raises(InvalidInput, match="that version of the purpose is not known"):
        say(conn, customer_id, Purpose.RESEARCH, True, AT, version=7)
    with pytest.raises(InvalidInput, match="that customer is not known"):
        say(conn, CustomerId("cus_none"), Purpose.RESEARCH, True, AT)
    with pytest.raises(InvalidInput, match="a source is a word"):
        record_consent(conn, customer_id, Purpose.RESEARCH, version=1, given=True, at=AT, source="The App", evidence={})


def test_every_purpose_says_what_it_is_in_every_language(conn: WriteConnection) -> None:
    rows = conn.execute("select purpose, words from purpose where version = 1").fetchall()
    assert {purpose for purpose, _ in rows} == set(Purpose)
    assert all(words.keys() == {"en", "ko", "zh"} and all(words.values()) for _, words in rows)


def test_an_old_databases_customers_go_on_as_before(server_dsn: str) -> None:
    with old_database(server_dsn, "0101_") as conn:
        conn.execute("insert into customer (customer_id, name, created_at) values ('cus_1', 'Ann', %s)", [OLD_AT])
        migrate(conn, at=OLD_AT)
        assert consents_in_force(conn, [CustomerId("cus_1")], OLD_AT) == {"cus_1": UNTIL_WITHDRAWN}
