"""Each message id of a source counts once, and an event is whose its identifier was at its time."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from customers.identifiers import add_identifier
from customers.nouns import Namespace
from events.nouns import Call, Event, Scope, Source, SourceKind
from events.sources import end_key, issue_key, register_source, select_source_by_key
from events.store import store_events
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from tests.people import AT, make_customer, merge


def make_source(conn: WriteConnection, name: str = "Shop", kind: SourceKind = SourceKind.WEB) -> Source:
    return register_source(conn, name=name, kind=kind, at=AT)


def make_event(
    message_id: str, *, login: str | None = None, anonymous_id: str | None = None, at: datetime = AT
) -> Event:
    return Event(
        message_id, Call.TRACK, "Product Viewed", at, login, anonymous_id, None, None, "SKU-1", '{"sku": "SKU-1"}', "{}"
    )


def events_of(conn: WriteConnection, customer_id: str) -> list[str]:
    rows = conn.execute(
        "select message_id from customer_event where customer_id = %s order by happened_at, message_id", [customer_id]
    )
    return [message_id for (message_id,) in rows]


def test_an_event_that_comes_again_counts_once(conn: WriteConnection) -> None:
    shop, other = make_source(conn), make_source(conn, "App")
    one, two = make_event("m-1", anonymous_id="a"), make_event("m-2", anonymous_id="a")
    first = store_events(conn, shop, [one, two, one], at=AT)
    again = store_events(conn, shop, [two, make_event("m-3", anonymous_id="a")], at=AT)
    elsewhere = store_events(conn, other, [one], at=AT)
    assert ([each.message_id for each in first.new], first.repeated) == (["m-1", "m-2"], 1)
    assert ([each.message_id for each in again.new], again.repeated) == (["m-3"], 1)
    assert [each.message_id for each in elsewhere.new] == ["m-1"]


def test_what_was_done_before_somebody_signed_in_is_theirs_and_after_the_next_one_the_nexts(
    conn: WriteConnection,
) -> None:
    shop, ann, ben = make_source(conn), make_customer(conn), make_customer(conn)
    day = timedelta(days=1)
    store_events(conn, shop, [make_event(f"m-{n}", anonymous_id="tablet", at=AT + n * day) for n in range(4)], at=AT)
    add_identifier(conn, ann.customer_id, Namespace.ANONYMOUS, "tablet", at=AT + day)
    conn.execute("update customer_identifier set valid_until = %s", [AT + 2 * day])
    add_identifier(conn, ben.customer_id, Namespace.ANONYMOUS, "tablet", at=AT + 2 * day)
    assert events_of(conn, ann.customer_id) == ["m-0", "m-1"]
    assert events_of(conn, ben.customer_id) == ["m-2", "m-3"]


def test_a_login_counts_before_the_anonymous_id_and_events_follow_who_was_merged(conn: WriteConnection) -> None:
    shop, ann, ben = make_source(conn), make_customer(conn), make_customer(conn)
    add_identifier(conn, ann.customer_id, Namespace.EXTERNAL, "ann", at=AT)
    add_identifier(conn, ben.customer_id, Namespace.ANONYMOUS, "tablet", at=AT)
    store_events(conn, shop, [make_event("m-1", login="ann", anonymous_id="tablet"), make_event("m-2")], at=AT)
    assert events_of(conn, ann.customer_id) == ["m-1"]
    merge(conn, ann, into=ben)
    assert events_of(conn, ben.customer_id) == ["m-1"]


def test_a_key_is_good_until_it_is_ended(conn: WriteConnection) -> None:
    shop = make_source(conn)
    old, new = issue_key(conn, shop.source_id, at=AT), issue_key(conn, shop.source_id, at=AT)
    [(key_id,)] = conn.execute("select key_id from source_key where hint = %s order by key_id limit 1", [old.hint])
    end_key(conn, shop.source_id, key_id, at=AT + timedelta(days=1))
    later = AT + timedelta(days=1)
    assert select_source_by_key(conn, old.write_key, at=AT) == shop
    assert select_source_by_key(conn, old.write_key, at=later) is None
    assert select_source_by_key(conn, new.write_key, at=later) == shop
    assert select_source_by_key(conn, "\ud800", at=later) is None
    with pytest.raises(NotFound, match="no key"):
        end_key(conn, shop.source_id, key_id, at=later)


def test_a_source_in_everybodys_hands_tells_and_does_no_more(conn: WriteConnection) -> None:
    till = register_source(conn, name="Till", kind=SourceKind.POS, scopes=[Scope.ORDERS], at=AT)
    assert till == replace(till, scopes=frozenset({Scope.EVENTS, Scope.ORDERS}))
    for scope in (Scope.ORDERS, Scope.IDENTIFY):
        with pytest.raises(InvalidInput, match="scope events and no other"):
            register_source(conn, name="Site", kind=SourceKind.WEB, scopes=[scope], at=AT)
    with pytest.raises(Conflict, match="of that name"):
        make_source(conn, "Till")
