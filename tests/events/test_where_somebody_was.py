"""Where somebody was is stored only of a customer who agrees to that, from their yes to their no."""

from dataclasses import replace
from datetime import timedelta

import pytest

from customers.consent import record_consent
from customers.identifiers import add_identifier
from customers.nouns import Namespace, Purpose
from events.store import store_events
from millpond.kernel.db import WriteConnection
from tests.events.test_events_store import make_event, make_source
from tests.people import AT, make_customer

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("name", ["Store Entered", "Store Left", "Beacon Seen"])
def test_the_place_is_left_out_without_a_yes_and_stops_with_the_next_no(conn: WriteConnection, name: str) -> None:
    source, kim = make_source(conn), make_customer(conn).customer_id
    add_identifier(conn, kim, Namespace.EXTERNAL, "kim", at=AT - HOUR)

    def store(number: int, **who: str) -> dict[str, str]:
        event = replace(make_event(f"m-{number}", at=AT, **who), name=name, properties='{"store_id": "s-1"}', sku=None)
        store_events(conn, source, [event], at=AT + number * HOUR)
        [(kept,)] = conn.execute("select properties from event where message_id = %s", [event.message_id]).fetchall()
        return dict(kept)

    def say(given: bool, hours: int) -> None:
        at = AT + hours * HOUR
        record_consent(conn, kim, Purpose.LOCATION, version=1, given=given, at=at, source="app", evidence={})

    assert store(1, login="kim") == {}
    assert store(2, anonymous_id="a-1") == {}
    say(True, 3)
    assert store(4, login="kim") == {"store_id": "s-1"}
    assert store(5, anonymous_id="a-1") == {}
    say(False, 6)
    assert store(7, login="kim") == {}


def test_what_is_no_place_is_kept_whole(conn: WriteConnection) -> None:
    store_events(conn, make_source(conn), [make_event("m-1", login="kim")], at=AT)
    assert conn.execute("select properties from event").fetchall() == [({"sku": "SKU-1"},)]
