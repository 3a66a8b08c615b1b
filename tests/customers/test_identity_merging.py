"""Two customers who become one, and two again: by whom, once, and never with oneself."""

from datetime import timedelta
from threading import Thread

import pytest

from customers.accounts import lock_customers
from customers.identifiers import resolve_customer
from customers.identity.merging import merge_customers, select_merge, select_merges_of, undo_merge
from customers.identity.nouns import Merge, MergeId
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId
from millpond.kernel.migrate import migrate
from tests.old_database import OLD_AT, old_database
from tests.people import AT, make_customer

DAY = timedelta(days=1)


def make(conn: WriteConnection, count: int) -> list[CustomerId]:
    return [make_customer(conn).customer_id for _ in range(count)]


def join(conn: WriteConnection, survivor: CustomerId, absorbs: CustomerId) -> Merge:
    evidence = {"ticket": "T-1"}
    return merge_customers(conn, survivor, absorbs, because="operator", evidence=evidence, by="operator:kim", at=AT)


def test_a_chain_leads_to_its_end_and_undoing_its_end_brings_its_beginning_back(conn: WriteConnection) -> None:
    a, b, c = make(conn, 3)
    join(conn, b, a)
    second = join(conn, c, b)
    assert [resolve_customer(conn, each) for each in (a, b, c)] == [c, c, c]
    undo_merge(conn, second.merge_id, by="operator:kim", at=AT + DAY)
    assert [resolve_customer(conn, each) for each in (a, b, c)] == [b, b, c]


def test_a_merge_says_who_did_it_why_and_who_undid_it(conn: WriteConnection) -> None:
    a, b = make(conn, 2)
    made = join(conn, a, b)
    assert made == select_merge(conn, made.merge_id)
    assert (made.absorbed, made.survivor, made.merged_by, made.evidence) == (b, a, "operator:kim", {"ticket": "T-1"})
    undone = undo_merge(conn, made.merge_id, by="operator:lee", at=AT + DAY)
    assert (undone.undone_at, undone.undone_by) == (AT + DAY, "operator:lee")
    again = join(conn, b, a)
    assert [each.merge_id for each in select_merges_of(conn, a)].count(again.merge_id) == 1
    assert {each.merge_id for each in select_merges_of(conn, b)} == {made.merge_id, again.merge_id}


def test_what_cannot_be_merged_or_undone_has_one_clear_answer(conn: WriteConnection) -> None:
    a, b, c = make(conn, 3)
    with pytest.raises(InvalidInput, match="cannot be merged with themselves"):
        join(conn, a, a)
    with pytest.raises(NotFound, match="customer cus_none is not known"):
        join(conn, a, CustomerId("cus_none"))
    made = join(conn, a, b)
    join(conn, c, a)
    for one, other in ((a, b), (b, a), (b, c)):
        with pytest.raises(Conflict, match="are one already"):
            join(conn, one, other)
    undo_merge(conn, made.merge_id, by="operator:kim", at=AT)
    with pytest.raises(Conflict, match=r"was undone already, at .* by operator:kim"):
        undo_merge(conn, made.merge_id, by="operator:lee", at=AT)
    with pytest.raises(NotFound, match="merge mrg_none is not known"):
        undo_merge(conn, MergeId("mrg_none"), by="operator:kim", at=AT)


def test_two_who_merge_each_other_at_once_become_one_and_never_a_circle(database: str) -> None:
    with connect(database) as one, connect(database) as other, connect(database) as reader:
        a, b = make(one, 2)
        came_to: list[object] = []

        def merge_the_other_way() -> None:
            try:
                with other.transaction():
                    came_to.append(join(other, a, b))
            except Conflict as refused:
                came_to.append(refused)

        with one.transaction():
            join(one, b, a)
            thread = Thread(target=merge_the_other_way)
            thread.start()
            while not reader.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'").fetchone():
                pass
        thread.join()
        assert isinstance(came_to[0], Conflict)
        assert resolve_customer(one, a) == resolve_customer(one, b) == b


def test_who_waited_for_a_merge_holds_who_they_are_now(database: str) -> None:
    with connect(database) as one, connect(database) as other, connect(database) as reader:
        a, b = make(one, 2)
        held: list[CustomerId] = []

        def lock() -> None:
            with other.transaction():
                held.append(lock_customers(other, [a])[a].customer_id)
                assert (
                    reader.execute(
                        "select 1 from customer where customer_id = %s for no key update skip locked", [b]
                    ).fetchone()
                    is None
                )

        with one.transaction():
            join(one, b, a)
            thread = Thread(target=lock)
            thread.start()
            while not reader.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'").fetchone():
                pass
        thread.join()
        assert held == [b]


def test_an_existing_database_brings_its_merges_along(server_dsn: str) -> None:
    with old_database(server_dsn, "0231_") as conn:
        conn.execute("insert into customer (customer_id, name, created_at) values ('b', 'B', %s)", [OLD_AT])
        conn.execute(
            "insert into customer (customer_id, name, created_at, merged_into) values ('a', 'A', %s, 'b')", [OLD_AT]
        )
        migrate(conn, at=OLD_AT)
        [(merge_id, absorbed, survivor)] = conn.execute("select merge_id, absorbed, survivor from customer_merge")
        assert (absorbed, survivor) == ("a", "b")
        undo_merge(conn, MergeId(merge_id), by="operator:o", at=OLD_AT)
        assert resolve_customer(conn, "a") == "a"
