"""What events say of who somebody is, by the scopes of who sent them."""

from dataclasses import replace

from customers.accounts import register_customer, select_customer_by_key
from customers.identity.hashing import Hashing, Secret
from customers.identity.linking import link_identities
from customers.identity.nouns import Linked, Refused
from customers.nouns import Namespace
from events.claims import claims_of, trust_in
from events.nouns import Call, Calls, Event, Heard, Scope, Source, SourceKind
from events.plan.files import load_plan
from events.sources import register_source
from events.store import store_events
from events.taking import take_behaviour
from events.terms import Terms
from millpond.kernel.db import WriteConnection
from tests.events.test_events_store import events_of, make_event, make_source
from tests.people import AT

HASHING = Hashing(Secret("k1", b"k" * 32), None, "KR")
TRAITS = ((Namespace.EMAIL, "ann@example.net"), (Namespace.PHONE, "010-9876-5432"), (Namespace.CARD, "c-1"))


def take(conn: WriteConnection, source: Source, *events: Event) -> Linked:
    new = store_events(conn, source, events, at=AT).new
    return link_identities(conn, claims_of(conn, source, new, HASHING), trust=trust_in(source), at=AT)


def make_server(conn: WriteConnection) -> Source:
    return register_source(conn, name="Server", kind=SourceKind.SERVER, scopes=[Scope.IDENTIFY], at=AT)


def test_what_a_browser_did_before_its_sign_in_is_the_customers(conn: WriteConnection) -> None:
    web = make_source(conn)
    take(conn, web, make_event("m-1", anonymous_id="a"))
    take(conn, web, make_event("m-2", login="ann", anonymous_id="a"))
    ann = select_customer_by_key(conn, "ann")
    assert ann is not None
    assert events_of(conn, ann.customer_id) == ["m-1", "m-2"]


def test_traits_of_an_identify_count_from_a_source_that_may_and_are_stored_as_hmacs(conn: WriteConnection) -> None:
    identify = replace(make_event("m-1", login="ann"), call=Call.IDENTIFY, claims=TRAITS)
    assert take(conn, make_source(conn), identify).refused == {Refused.NOT_BY_A_PUBLIC_KEY: 3}
    assert take(conn, make_server(conn), identify).linked == 4
    keys: dict[str, str] = dict(conn.execute("select namespace, key from identifier").fetchall())
    assert keys["card"] == "c-1"
    assert keys["email"].startswith("k1.")
    assert keys["phone"].startswith("k1.")


def test_an_alias_names_the_browser_before_or_a_login_that_is_known(conn: WriteConnection) -> None:
    web, server = make_source(conn), make_server(conn)
    ann = register_customer(conn, name="Ann", external_key="ann", at=AT).customer_id
    old = register_customer(conn, name="Ann", external_key="ann-old", at=AT).customer_id
    alias = replace(make_event("m-1", login="ann"), call=Call.ALIAS)
    take(conn, web, make_event("m-0", anonymous_id="a"), replace(alias, previous_id="a"))
    assert events_of(conn, ann) == ["m-0", "m-1"]
    logins = replace(alias, message_id="m-2", previous_id="ann-old")
    assert take(conn, web, logins).refused == {Refused.NOT_BY_A_PUBLIC_KEY: 1}
    assert take(conn, server, logins).merged == 1
    loop = replace(alias, message_id="m-3", login="ann-old", previous_id="ann")
    assert take(conn, server, loop) == Linked()
    assert conn.execute("select absorbed, survivor from customer_merge").fetchall() == [(old, ann)]


def test_taking_calls_in_links_whom_they_name(conn: WriteConnection) -> None:
    event = replace(make_event("m-1", login="ann", anonymous_id="a"), call=Call.IDENTIFY, claims=TRAITS)
    terms, calls = Terms(load_plan(None), hashing=HASHING), Calls((Heard(event, b"{}"),), ())
    linked = (
        "select count(distinct namespace), count(distinct customer_id)"
        " from customer_identifier join identifier using (identifier_id)"
    )
    for source, namespaces in ((make_source(conn), 2), (make_server(conn), 5)):
        take_behaviour(conn, source, calls, terms, at=AT)
        assert conn.execute(linked).fetchone() == (namespaces, 1)
