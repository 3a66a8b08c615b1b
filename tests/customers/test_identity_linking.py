"""What is said of who somebody is: who may say it, what is believed, and what is refused and counted."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from customers.accounts import register_customer, select_customer_by_key
from customers.identifiers import Identifier, add_identifier
from customers.identity.limits import Limits
from customers.identity.linking import link_identities
from customers.identity.nouns import Claim, Linked, Refused, Trust
from customers.nouns import Namespace
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId
from tests.people import AT

MINUTE = timedelta(minutes=1)
LATER = AT + timedelta(days=30)
ANN, BEN, TABLET, PHONE, CARD, MAIL = (
    (Namespace.EXTERNAL, "ann"),
    (Namespace.EXTERNAL, "ben"),
    (Namespace.ANONYMOUS, "tablet-1"),
    (Namespace.ANONYMOUS, "phone-1"),
    (Namespace.CARD, "card-1"),
    (Namespace.EMAIL, "k1.mail"),
)


def said(
    conn: WriteConnection,
    *pairs: tuple[Identifier, Identifier | CustomerId],
    trust: Trust = Trust.SOURCE,
    because: str = "identify",
    at: datetime = AT,
    limits: Limits = Limits(),
) -> Linked:
    claims = [Claim(one, other, because, at + n * MINUTE, {"event": n}) for n, (one, other) in enumerate(pairs)]
    return link_identities(conn, claims, trust=trust, at=LATER, limits=limits)


def whose(conn: WriteConnection, named: Identifier) -> str | None:
    row = conn.execute(
        "select p.customer_id from identifier i join customer_identifier l using (identifier_id)"
        " join person p on p.known_as = l.customer_id where (namespace, key) = (%s, %s) and valid_until is null",
        named,
    ).fetchone()
    return row[0] if row else None


def make(conn: WriteConnection, login: Identifier) -> CustomerId:
    return register_customer(conn, name=login[1], external_key=login[1], at=AT).customer_id


def test_a_login_that_nobody_knows_opens_a_customer_who_is_named_by_it(conn: WriteConnection) -> None:
    came_to = said(conn, (TABLET, ANN), trust=Trust.PUBLIC)
    ann = select_customer_by_key(conn, "ann")
    assert ann is not None
    assert (came_to.opened, came_to.linked, ann.name) == (1, 2, "ann")
    assert whose(conn, TABLET) == ann.customer_id


def test_what_is_known_already_writes_nothing(conn: WriteConnection) -> None:
    said(conn, (TABLET, ANN), (PHONE, ANN), trust=Trust.PUBLIC)
    before = conn.execute("select pg_current_xact_id_if_assigned(), count(*) from customer_identifier").fetchone()
    assert said(conn, (TABLET, ANN), (PHONE, ANN), (TABLET, ANN), trust=Trust.PUBLIC) == Linked()
    assert (
        conn.execute("select pg_current_xact_id_if_assigned(), count(*) from customer_identifier").fetchone() == before
    )


@pytest.mark.parametrize(
    "pair", [(MAIL, ANN), (CARD, ANN), (ANN, BEN), (MAIL, CARD), (TABLET, MAIL), (TABLET, PHONE), (TABLET, "cus_1")]
)
def test_a_public_key_may_only_say_by_which_login_an_anonymous_id_signed_in(
    conn: WriteConnection, pair: tuple[Identifier, Identifier | CustomerId]
) -> None:
    ann, ben = make(conn, ANN), make(conn, BEN)
    came_to = said(conn, pair, trust=Trust.PUBLIC, because="alias")
    assert came_to == Linked(refused=Counter({Refused.NOT_BY_A_PUBLIC_KEY: 1}))
    assert (whose(conn, ANN), whose(conn, BEN), whose(conn, MAIL)) == (ann, ben, None)
    row = conn.execute("select identifier_id, because, reason, times from refused_link").fetchone()
    assert row == (None, "alias", "not_by_a_public_key", 1)


def test_a_source_that_may_identify_links_what_people_would_be_found_by(conn: WriteConnection) -> None:
    said(conn, (ANN, MAIL), (MAIL, CARD))
    ann = whose(conn, ANN)
    assert ann is not None
    assert whose(conn, MAIL) == whose(conn, CARD) == ann
    evidence = conn.execute("select because, evidence from customer_identifier order by evidence::text").fetchall()
    assert evidence == [("identify", {"event": 0})] * 2 + [("identify", {"event": 1})]


def test_who_was_known_by_a_card_is_found_to_be_who_signs_in_with_it(conn: WriteConnection) -> None:
    said(conn, (CARD, MAIL))
    by_card = whose(conn, CARD)
    ann = make(conn, ANN)
    assert said(conn, (ANN, CARD)).merged == 1
    assert whose(conn, CARD) == whose(conn, MAIL) == ann
    row = conn.execute("select absorbed, survivor, because, merged_by from customer_merge").fetchone()
    assert row == (by_card, ann, "identify", "claim:source")


def test_two_logins_are_one_person_only_when_both_are_named(conn: WriteConnection) -> None:
    ann, ben = make(conn, ANN), make(conn, BEN)
    said(conn, (ANN, MAIL))
    assert said(conn, (BEN, MAIL)).refused == {Refused.BELONGS_TO_ANOTHER: 1}
    assert (whose(conn, MAIL), whose(conn, BEN)) == (ann, ben)
    assert said(conn, (BEN, ANN), because="alias").merged == 1
    assert whose(conn, BEN) == whose(conn, ANN) == ann
    assert said(conn, (ANN, BEN), (BEN, ANN), because="alias") == Linked(), "an alias loop ends"


def test_a_shared_device_is_whose_who_signed_in_last_and_beyond_a_limit_nobodys(conn: WriteConnection) -> None:
    limits = Limits({Namespace.ANONYMOUS: 2})
    ann = make(conn, ANN)
    said(conn, (TABLET, ANN), (TABLET, BEN), (TABLET, ANN), trust=Trust.PUBLIC, limits=limits)
    assert whose(conn, TABLET) == ann
    rows = conn.execute(
        "select valid_from, valid_until, counts_from::text from customer_identifier where because = 'identify'"
        " and identifier_id = (select identifier_id from identifier where key = 'tablet-1') order by valid_from"
    ).fetchall()
    second, third = AT + MINUTE, AT + 2 * MINUTE
    assert [row[:2] for row in rows] == [(AT, second), (second, third), (third, None)]
    assert [row[2] == "-infinity" for row in rows] == [True, False, False]
    came_to = said(conn, (TABLET, (Namespace.EXTERNAL, "cho")), trust=Trust.PUBLIC, at=AT + timedelta(1), limits=limits)
    assert (came_to.ended, came_to.refused) == (1, {Refused.SHARED_DEVICE: 1})
    assert whose(conn, TABLET) is None
    assert said(conn, (TABLET, ANN), trust=Trust.PUBLIC, at=AT + timedelta(2), limits=limits) == Linked()
    assert conn.execute("select blocked_because from identifier where key = 'tablet-1'").fetchone() == (
        "shared_device",
    )


def test_a_sign_in_that_comes_late_changes_nothing_of_what_came_after_it(conn: WriteConnection) -> None:
    said(conn, (TABLET, ANN), trust=Trust.PUBLIC, at=AT + timedelta(1))
    late = said(conn, (TABLET, BEN), trust=Trust.PUBLIC, at=AT)
    assert late.refused == {Refused.OUT_OF_ORDER: 1}
    assert whose(conn, TABLET) == whose(conn, ANN)


def test_an_identifier_of_too_many_is_blocked_and_glues_nobody(conn: WriteConnection) -> None:
    logins = [(Namespace.EXTERNAL, f"login-{n}") for n in range(5)]
    people = [make(conn, login) for login in logins]
    came_to = said(conn, *((login, MAIL) for login in logins))
    assert came_to.refused == {Refused.BELONGS_TO_ANOTHER: 2, Refused.TOO_MANY_CUSTOMERS: 1}
    assert (came_to.merged, came_to.ended + came_to.linked) == (0, 1)
    assert whose(conn, MAIL) is None
    assert [whose(conn, login) for login in logins] == people


def test_a_customer_has_no_more_identifiers_than_the_limit(conn: WriteConnection) -> None:
    limits = Limits(identifiers={Namespace.CARD: 2})
    ann = make(conn, ANN)
    cards = [(Namespace.CARD, f"card-{n}") for n in range(3)]
    assert said(conn, *((ANN, card) for card in cards), limits=limits).refused == {Refused.TOO_MANY_IDENTIFIERS: 1}
    assert [whose(conn, card) for card in cards] == [ann, ann, None]
    said(conn, ((Namespace.CARD, "other"), MAIL))
    other = whose(conn, MAIL)
    assert said(conn, (ANN, MAIL), limits=limits).refused == {Refused.TOO_MANY_IDENTIFIERS: 1}
    assert whose(conn, MAIL) == other != ann


@pytest.mark.parametrize(
    "key",
    [
        "none",
        "NULL",
        " undefined ",
        "guest",
        "0",
        "00000000",
        "1111111",
        "00000000-0000-0000-0000-000000000000",
        "",
        "-",
    ],
)
def test_a_value_that_many_write_who_know_none_links_nobody(conn: WriteConnection, key: str) -> None:
    assert said(conn, ((Namespace.CARD, key), ANN)).refused == {Refused.BLOCKED_VALUE: 1}
    assert conn.execute("select count(*) from customer").fetchone() == (0,)


@pytest.mark.parametrize("key", ["7", "11", "nonea", "guest-1", "1111112"])
def test_a_short_or_similar_value_is_somebodys(conn: WriteConnection, key: str) -> None:
    assert said(conn, ((Namespace.CARD, key), ANN)).refused == {}


def test_our_own_evidence_names_a_customer_by_their_id(conn: WriteConnection) -> None:
    ann = make(conn, ANN)
    said(conn, (CARD, ann), trust=Trust.OWN, because="receipt")
    assert whose(conn, CARD) == ann
    assert said(conn, (CARD, CustomerId("cus_none")), trust=Trust.OWN) == Linked()


def test_a_clock_that_is_ahead_says_nothing_of_the_future(conn: WriteConnection) -> None:
    said(conn, (TABLET, ANN), trust=Trust.PUBLIC, at=LATER + timedelta(days=9))
    assert conn.execute("select distinct valid_from from customer_identifier").fetchall() == [(LATER,)]


def test_who_had_a_key_before_is_found_by_it_and_its_links_stay_as_they_are(conn: WriteConnection) -> None:
    ann = make(conn, ANN)
    add_identifier(conn, ann, Namespace.CARD, "card-1", at=AT)
    assert said(conn, (ANN, CARD)) == Linked()
