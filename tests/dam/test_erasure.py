"""Whoever asks to be forgotten is: nothing that any table has of them is left but what the registry says, and why."""

import json
import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from customers.accounts import find_or_register_customer, lock_customer, register_customer, select_customer
from customers.audit.chain import verify_chain
from customers.audit.entries import select_entries
from customers.consent import consents_in_force
from customers.erased import request_erasure, select_erasure
from customers.identifiers import add_identifier, resolve_customer
from customers.nouns import Namespace
from dam.erasure import erase_person, finish_erasures
from dam.personal import personal_tables
from events.store import store_events
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId
from millpond.kernel.personal import Fate
from tests.dam.marked import MARK, fill_everything
from tests.endings import retain
from tests.events.test_events_store import make_event, make_source
from tests.people import AT, make_customer, merge

HOUR = timedelta(hours=1)
LATER = AT + 300 * HOUR


def erase(conn: WriteConnection, customer_id: CustomerId, at: Any = LATER) -> dict[str, int]:
    erasure = request_erasure(conn, customer_id, actor="operator:o", at=at)
    return erase_person(conn, erasure, actor="operator:o", at=at).report


_WAITING = "from pg_stat_activity where application_name = %s and wait_event_type = 'Lock'"


def wait_until_it_waits(database: str, application: str) -> None:
    with connect(database) as conn:
        while conn.execute(f"select 1 {_WAITING}", [application]).fetchone() is None:  # two texts of ours
            pass


def end_when_it_waits(database: str, application: str) -> None:
    wait_until_it_waits(database, application)
    with connect(database) as conn:
        conn.execute(f"select pg_terminate_backend(pid) {_WAITING}", [application])  # two texts of ours


def find_marks(conn: WriteConnection) -> set[tuple[str, str]]:
    """In which columns of which tables the mark stands."""
    columns = conn.execute("""
        select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.attnum > 0 and not a.attisdropped""").fetchall()
    found = set()
    for table, column in columns:
        query = (
            f"select from {table} where strpos(lower({column}::text), %s) > 0 or strpos({column}::text, %s) > 0 limit 1"
        )
        if conn.execute(query, [MARK, MARK.encode().hex()]).fetchone() is not None:
            found.add((table, column))
    return found


def test_nothing_of_a_person_is_found_in_any_column_but_what_is_said_to_be_kept(conn: WriteConnection) -> None:
    person = fill_everything(conn)
    marked = find_marks(conn)
    personal = {
        (table.name, column.name)
        for table in personal_tables()
        for column in table.columns
        if column.fate in (Fate.GONE, Fate.NULLED, Fate.WORDED)
    }
    assert len({table for table, _ in marked}) >= 12, "the mark stands wherever a person may write"
    assert marked <= personal, "what a person may write is personal"
    report = erase(conn, person)
    assert find_marks(conn) == set()
    assert report.keys() >= {table for table, _ in marked if table not in ("quarantine", "quarantine_edit")}


def test_books_stay_under_a_pseudonym_and_still_balance(conn: WriteConnection) -> None:
    person = fill_everything(conn)
    count = "select count(*), sum(amount_minor) from customer_order where customer_id = %s"
    before = conn.execute(count, [person]).fetchone()
    postings = conn.execute("select count(*), sum(abs(amount_minor)) from posting").fetchone()
    erase(conn, person)
    assert conn.execute(count, [person]).fetchone() == before
    assert conn.execute("select count(*), sum(abs(amount_minor)) from posting").fetchone() == postings
    kept = select_customer(conn, person)
    assert kept is not None
    assert (kept.name, kept.external_key, kept.locale, kept.time_zone) == ("erased", None, "en", "UTC")


def test_an_erased_person_is_nobody_to_tokens_locks_and_consents(conn: WriteConnection) -> None:
    customer = register_customer(conn, name="Kim", external_key="kim", at=AT)
    erase(conn, customer.customer_id)
    assert (resolve_customer(conn, customer.customer_id), resolve_customer(conn, "kim")) == (None, None)
    assert consents_in_force(conn, [customer.customer_id], LATER) == {customer.customer_id: frozenset()}
    with pytest.raises(NotFound):
        lock_customer(conn, customer.customer_id)


def test_all_accounts_of_one_person_are_erased_and_nobody_elses(conn: WriteConnection) -> None:
    one, same, other = make_customer(conn), make_customer(conn), make_customer(conn, name="Ben")
    merge(conn, same, into=one)
    source = make_source(conn)
    for customer, login in ((one, "one"), (same, "same"), (other, "other")):
        add_identifier(conn, customer.customer_id, Namespace.EXTERNAL, login, at=AT)
        store_events(conn, source, [make_event(f"m-{login}", login=login)], at=AT)
    report = erase(conn, same.customer_id)
    assert (report["customer"], report["event"]) == (2, 2)
    assert [row[0] for row in conn.execute("select message_id from event")] == ["m-other"]
    assert resolve_customer(conn, "other") == other.customer_id
    assert select_erasure(conn, one.customer_id) == select_erasure(conn, same.customer_id)


def test_a_shared_tablet_keeps_what_the_other_did_on_it(conn: WriteConnection) -> None:
    one, other, source = make_customer(conn), make_customer(conn), make_source(conn)
    store_events(conn, source, [make_event(f"m-{n}", anonymous_id="tablet", at=AT + n * HOUR) for n in range(4)], at=AT)
    add_identifier(conn, one.customer_id, Namespace.ANONYMOUS, "tablet", at=AT)
    conn.execute("update customer_identifier set valid_until = %s", [AT + 2 * HOUR])
    add_identifier(conn, other.customer_id, Namespace.ANONYMOUS, "tablet", at=AT + 2 * HOUR)
    erase(conn, one.customer_id)
    rows = conn.execute("select message_id from customer_event where customer_id = %s order by 1", [other.customer_id])
    assert rows.fetchall() == [("m-2",), ("m-3",)]
    assert conn.execute("select count(*) from event").fetchone() == (2,)


def test_what_comes_late_or_again_brings_nothing_back_and_what_is_done_afterwards_counts(conn: WriteConnection) -> None:
    customer, source = register_customer(conn, name="Kim", external_key="kim", at=AT), make_source(conn)
    add_identifier(conn, customer.customer_id, Namespace.ANONYMOUS, "browser", at=AT)
    events = [make_event("m-1", login="kim", anonymous_id="browser"), make_event("m-2", anonymous_id="browser")]
    assert len(store_events(conn, source, events, at=AT).new) == 2
    erase(conn, customer.customer_id)
    late = [
        *events,
        make_event("m-3", login="kim", at=LATER - HOUR),
        make_event("m-4", login="ben", anonymous_id="browser"),
    ]
    stored = store_events(conn, source, late, at=LATER + HOUR)
    assert ([event.message_id for event in stored.new], stored.repeated, stored.erased) == (["m-4"], 0, 3)
    assert conn.execute("select namespace, key from identifier").fetchall() == [("external", "ben")]
    afterwards = store_events(conn, source, [make_event("m-5", login="kim", at=LATER + HOUR)], at=LATER + HOUR)
    assert len(afterwards.new) == 1
    with pytest.raises(InvalidInput, match="was erased"):
        find_or_register_customer(conn, "kim", at=LATER)


def test_the_memory_of_who_was_erased_is_a_hash_and_has_an_end(conn: WriteConnection) -> None:
    customer, source = register_customer(conn, name="Kim", external_key="kim", at=AT), make_source(conn)
    erase(conn, customer.customer_id)
    (digest,) = conn.execute("select encode(digest, 'hex') from erased_identifier").fetchone() or ("",)
    assert len(digest) == 64
    assert b"kim".hex() not in digest
    assert retain(conn, LATER + 20 * HOUR, erased_keep_days=1) == {}
    assert retain(conn, LATER + 30 * HOUR, erased_keep_days=1)["hashes of erased identifiers"] == 1
    assert len(store_events(conn, source, [make_event("m-1", login="kim")], at=LATER).new) == 1


def test_who_is_erased_twice_is_told_the_same_and_changes_nothing_more(conn: WriteConnection) -> None:
    person = fill_everything(conn)
    first = erase(conn, person)
    assert erase(conn, person, at=LATER + HOUR) == first
    entries = [entry for entry in select_entries(conn, customer_ids=[person]) if entry.action == "erased"]
    assert [(entry.actor, entry.at) for entry in entries] == [("operator:o", LATER)]
    assert verify_chain(conn).fault is None


def test_one_that_was_killed_on_the_way_changed_nothing_and_is_finished_by_the_job(database: str) -> None:
    with connect(database) as conn:
        customer, source = register_customer(conn, name="Kim", external_key="kim", at=AT), make_source(conn)
        store_events(conn, source, [make_event("m-1", login="kim")], at=AT)
        erasure = request_erasure(conn, customer.customer_id, actor=f"customer:{customer.customer_id}", at=LATER)
        errors: list[Exception] = []

        def run() -> None:
            with connect(database, application="killed") as own:
                try:
                    erase_person(own, erasure, actor="operator:o", at=LATER)
                except psycopg.OperationalError as error:
                    errors.append(error)

        with conn.transaction():
            conn.execute("select from event for update")  # It has done half of it, and waits for this row.
            killed = threading.Thread(target=run)
            killed.start()
            end_when_it_waits(database, "killed")
            killed.join()
        assert len(errors) == 1
        assert select_customer(conn, customer.customer_id) == customer
        assert conn.execute("select count(*) from event").fetchone() == (1,)
        assert (finish_erasures(conn, LATER + HOUR), finish_erasures(conn, LATER + HOUR)) == (1, 0)
        assert conn.execute("select count(*) from event").fetchone() == (0,)
        [entry] = select_entries(conn)
        assert entry.actor == f"customer:{customer.customer_id}"


def test_a_merge_at_the_same_moment_is_waited_for_and_both_accounts_go(database: str) -> None:
    with connect(database) as conn, connect(database, application="eraser") as other:
        one, same = make_customer(conn), make_customer(conn, name="Kim too")
        done = threading.Thread(target=lambda: erase(other, same.customer_id))
        with conn.transaction():
            lock_customer(conn, one.customer_id)
            lock_customer(conn, same.customer_id)
            done.start()
            wait_until_it_waits(database, "eraser")
            merge(conn, same, into=one)
        done.join()
        names = conn.execute("select name from customer order by customer_id").fetchall()
        assert names == [("erased",), ("erased",)]


def test_the_next_owner_of_a_device_sees_nothing_of_who_was_erased(conn: WriteConnection) -> None:
    person = fill_everything(conn)
    erase(conn, person)
    rows = conn.execute("select customer_id, granted_by, owned_until from device_owner").fetchall()
    assert rows
    assert {row[:2] for row in rows} == {(None, "erased")}
    assert all(owned_until is not None for *_, owned_until in rows)
    assert conn.execute("select count(*) from device where customer_id is not null").fetchone() == (0,)
    conn.execute("set constraints all immediate")


def test_answers_to_others_that_speak_of_a_person_are_never_given_again(conn: WriteConnection) -> None:
    person = fill_everything(conn)
    erase(conn, person)
    rows = conn.execute("select subject, response from idempotency_key").fetchall()
    assert rows == [("operator:o", {"erased": True})]
    assert json.dumps(rows).find(person) == -1
