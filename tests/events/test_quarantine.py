"""What violates the plan is set aside with its reason and its bytes, once; and it is taken once the plan is mended."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.identifiers import note_identifiers
from customers.nouns import Namespace
from events.nouns import Scope, Source, SourceKind, Taken
from events.personal import events_personal
from events.plan.files import load_plan
from events.quarantine.nouns import Filter, Replayed
from events.quarantine.store import drop_set_aside, select_set_aside, select_set_aside_groups, select_unknown_events
from events.sources import register_source
from events.taking import take_behaviour
from events.terms import Terms
from events.wire import decode_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import NotFound
from millpond.kernel.personal import Person, erase_rows
from offers.taking.replay import replay_set_aside
from tests.events.calls import batch, track
from tests.people import AT

TERMS = Terms(load_plan())
DAY = timedelta(days=1)


def make_source(conn: WriteConnection, name: str = "Shop") -> Source:
    return register_source(conn, name=name, kind=SourceKind.SERVER, scopes=[Scope.EVENTS], at=AT)


def take(
    conn: WriteConnection, source: Source, *calls: dict[str, Any] | bytes, at: datetime = AT, terms: Terms = TERMS
) -> Taken:
    return take_behaviour(conn, source, decode_batch(batch(*calls), received_at=at), terms, at=at)


def stored(conn: WriteConnection) -> list[str]:
    return [one for (one,) in conn.execute("select message_id from event order by message_id")]


def test_one_bad_event_among_good_ones_is_set_aside_with_its_bytes_and_why(conn: WriteConnection) -> None:
    shop = make_source(conn)
    bad = track("bad", "Product Viewed", {"sku": "A", "price": -1})
    taken = take(conn, shop, track("one", "Product Viewed", {"sku": "A"}), bad, track("two", "Cart Viewed"))
    assert [each.message_id for each in taken.stored.new] == ["one", "two"]
    assert [(each.reason, each.detail) for each in taken.refused] == [
        ("against_plan", "Product Viewed: price must be 0 or more")
    ]
    [kept] = select_set_aside(conn)
    assert (kept.source, kept.known_as, kept.name, kept.times) == ("Shop", "bad", "Product Viewed", 1)
    assert b'"price":-1' in kept.raw.replace(b" ", b"")
    assert stored(conn) == ["one", "two"]


def test_what_comes_again_is_set_aside_once_and_counted(conn: WriteConnection) -> None:
    shop, other = make_source(conn), make_source(conn, "Other")
    bad = track("bad", "Product Viewed", {})
    take(conn, shop, bad, bad)
    take(conn, shop, bad, b'{"type": 1}', b'{"type": 1}', at=AT + DAY)
    take(conn, shop, b'{"type": 1}', at=AT + DAY)
    take(conn, other, bad)
    kept = {(each.source, each.reason): each for each in select_set_aside(conn)}
    assert {key: each.times for key, each in kept.items()} == {
        ("Shop", "against_plan"): 2,
        ("Shop", "wrong_type"): 2,
        ("Other", "against_plan"): 1,
    }
    again = kept["Shop", "against_plan"]
    assert (again.first_at, again.last_at) == (AT, AT + DAY)


def test_no_more_than_so_many_of_a_source_are_set_aside_in_a_day(conn: WriteConnection) -> None:
    shop, terms = make_source(conn), Terms(load_plan(), set_aside_per_day_max=3)
    bad = [track(f"bad-{n}", "Product Viewed", {}) for n in range(10)]
    take(conn, shop, *bad[:2], terms=terms)
    assert len(take(conn, shop, *bad, terms=terms).refused) == 10
    assert len(select_set_aside(conn)) == 3
    take(conn, shop, *bad[5:], at=AT + DAY, terms=terms)
    assert len(select_set_aside(conn)) == 6


def test_large_calls_keep_their_beginning_and_their_size(conn: WriteConnection) -> None:
    shop = make_source(conn)
    take(conn, shop, track("large", "Product Viewed", {"sku": "A", "name": "n" * 40_000}))
    [kept] = select_set_aside(conn)
    assert (kept.reason, len(kept.raw), kept.size_bytes > 40_000) == ("too_large", 32_768, True)
    assert replay_set_aside(conn, Filter(), TERMS, at=AT) == Replayed(0, 1, kept.quarantine_id)


def test_a_mended_plan_lets_them_in_under_their_own_time_and_twice_changes_nothing(
    conn: WriteConnection, tmp_path: Path
) -> None:
    shop = make_source(conn)
    take(conn, shop, track("text", "Product Viewed", {"sku": "A", "price": "9.99"}, at=AT - DAY))
    take(conn, shop, track("none", "Product Viewed", {}, at=AT - DAY))
    assert replay_set_aside(conn, Filter(), TERMS, at=AT + DAY).refused == 2
    (tmp_path / "own.yaml").write_text("$defs: {price: {type: [number, string]}}")
    mended = Terms(load_plan(tmp_path))
    tried = replay_set_aside(conn, Filter(), mended, at=AT + DAY, dry_run=True)
    assert ((tried.taken, tried.refused), stored(conn)) == ((1, 1), [])
    done = replay_set_aside(conn, Filter(), mended, at=AT + DAY)
    assert ((done.taken, done.refused), stored(conn)) == ((1, 1), ["text"])
    assert conn.execute("select happened_at from event").fetchall() == [(AT - DAY,)]
    assert replay_set_aside(conn, Filter(name="Product Viewed"), mended, at=AT + DAY).taken == 0
    assert [each.known_as for each in select_set_aside(conn)] == ["none"]
    assert [each.times for each in select_set_aside(conn, Filter(replayed=True))] == [1, 1]
    with pytest.raises(NotFound, match="number 0"):
        replay_set_aside(conn, Filter(), mended, at=AT, only=0)


def test_a_call_that_could_not_be_read_is_read_again_when_it_is_replayed(conn: WriteConnection) -> None:
    shop = make_source(conn)
    take(conn, shop, b'{"type":"track","event":"Cart Viewed","messageId":"m","anonymousId":"' + b"a" * 256 + b'"}')
    assert [each.reason for each in select_set_aside(conn)] == ["bad_id"]
    mended = select_set_aside(conn)[0].raw.replace(b"a" * 256, b"a")
    conn.execute("update event_quarantine set raw = %s, size_bytes = %s", [mended, len(mended)])
    assert replay_set_aside(conn, Filter(reason="bad_id"), TERMS, at=AT).taken == 1
    assert stored(conn) == ["m"]


def test_they_are_grouped_by_reason_source_and_event_and_can_be_dropped(conn: WriteConnection) -> None:
    shop, other = make_source(conn), make_source(conn, "Other")
    take(conn, shop, track("a", "Product Viewed", {}), track("b", "Product Viewed", {}), track("c", "Offer Shown", {}))
    take(conn, other, track("a", "Product Viewed", {}))
    groups = [(each.reason, each.source, each.name, each.calls) for each in select_set_aside_groups(conn)]
    assert groups == [
        ("against_plan", "Shop", "Product Viewed", 2),
        ("against_plan", "Other", "Product Viewed", 1),
        ("against_plan", "Shop", "Offer Shown", 1),
    ]
    assert drop_set_aside(conn, Filter(source="Shop", name="Product Viewed")) == 2
    assert {(each.source, each.name) for each in select_set_aside(conn)} == {
        ("Other", "Product Viewed"),
        ("Shop", "Offer Shown"),
    }


def test_unknown_events_are_kept_and_counted_and_their_names_are_bounded(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.quarantine.store.NAMES_MAX", 2)
    shop = make_source(conn)
    lamp, again = track("1", "Lamp Rubbed"), track("2", "Lamp Rubbed")
    take(conn, shop, lamp, again, track("3", "Cart Viewed"))
    take(conn, shop, lamp, track("4", "Lamp Broken"), track("5", "A"), track("6", "B"), at=AT + DAY)
    take(conn, shop, track("7", "Lamp Rubbed"), at=AT + DAY)
    found = {each.name: (each.events, each.first_at, each.last_at) for each in select_unknown_events(conn)}
    assert found == {
        "Lamp Rubbed": (3, AT, AT + DAY),
        "Lamp Broken": (1, AT + DAY, AT + DAY),
        "": (2, AT + DAY, AT + DAY),
    }
    assert len(stored(conn)) == 7


def test_what_was_set_aside_of_a_person_goes_with_them_also_where_only_its_bytes_name_them(
    conn: WriteConnection,
) -> None:
    shop = make_source(conn)
    take(conn, shop, track("ann", "Product Viewed", {}, login="ann-1234"), b'{"type": 1, "userId": "ann-1234"}')
    take(conn, shop, track("ben", "Product Viewed", {}, login="ben-1234"), b'{"type": 1, "userId": "ben-1234"}')
    [table] = [table for table in events_personal() if table.name == "event_quarantine"]
    ids = note_identifiers(conn, [(Namespace.EXTERNAL, "ann-1234")], at=AT)
    assert erase_rows(conn, table, Person((), tuple(ids.values())), AT) == 2
    assert [b"ben-1234" in each.raw for each in select_set_aside(conn)] == [True, True]
