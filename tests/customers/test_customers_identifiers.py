"""Whom a name means: an id before a key, a key in force, and the customer who stays when two were one."""

from datetime import timedelta

import psycopg
import pytest

from customers.accounts import (
    find_or_register_customer,
    lock_customer,
    register_customer,
    select_customer,
    select_customer_by_key,
    select_customers,
)
from customers.identifiers import add_identifier, resolve_customer
from customers.nouns import Namespace
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import CustomerId
from tests.people import AT, make_customer, merge

NEXT = AT + timedelta(days=1)


def end_key(conn: WriteConnection, key: str) -> None:
    conn.execute(
        "update customer_identifier l set valid_until = %s from identifier i"
        " where i.identifier_id = l.identifier_id and i.key = %s",
        [NEXT, key],
    )


def test_a_name_is_an_id_or_a_key_or_nobodys(conn: WriteConnection) -> None:
    ann = register_customer(conn, name="Ann", external_key="CRM-7", at=AT)
    names = (ann.customer_id, "CRM-7", "CRM-8", "cus_" + "0" * 20, "")
    assert [resolve_customer(conn, name) for name in names] == [ann.customer_id, ann.customer_id, None, None, None]


def test_an_id_wins_over_a_key_that_is_spelled_like_it(conn: WriteConnection) -> None:
    ann = make_customer(conn)
    eve = register_customer(conn, name="Eve", external_key=ann.customer_id, at=AT)
    assert resolve_customer(conn, ann.customer_id) == ann.customer_id
    assert select_customer_by_key(conn, ann.customer_id) == eve


def test_a_key_of_another_list_is_no_name_of_the_brands(conn: WriteConnection) -> None:
    add_identifier(conn, make_customer(conn).customer_id, Namespace.CARD, "k-1", at=AT)
    assert resolve_customer(conn, "k-1") is None


def test_a_key_that_ended_leads_to_whom_it_was_given_next(conn: WriteConnection) -> None:
    ann = register_customer(conn, name="Ann", external_key="CRM-7", at=AT)
    end_key(conn, "CRM-7")
    assert resolve_customer(conn, "CRM-7") is None
    assert select_customer(conn, ann.customer_id) == select_customers(conn)[0] != ann
    ben = find_or_register_customer(conn, "CRM-7", at=NEXT)
    assert resolve_customer(conn, "CRM-7") == ben.customer_id != ann.customer_id


def test_a_customer_may_have_several_keys_and_is_shown_with_the_oldest(conn: WriteConnection) -> None:
    ann = register_customer(conn, name="Ann", external_key="CRM-7", at=AT)
    add_identifier(conn, ann.customer_id, Namespace.EXTERNAL, "CRM-1", at=NEXT)
    assert select_customer_by_key(conn, "CRM-1") == select_customer(conn, ann.customer_id) == ann
    end_key(conn, "CRM-7")
    found = select_customer(conn, ann.customer_id)
    assert found is not None
    assert found.external_key == "CRM-1"


def test_a_key_leads_to_one_customer_at_a_time(conn: WriteConnection) -> None:
    register_customer(conn, name="Ann", external_key="CRM-7", at=AT)
    ben = make_customer(conn)
    with pytest.raises(Conflict, match="external key already belongs"):
        add_identifier(conn, ben.customer_id, Namespace.EXTERNAL, "CRM-7", at=NEXT)


def test_a_refused_key_leaves_no_customer_behind(conn: WriteConnection) -> None:
    register_customer(conn, name="Ann", external_key="CRM-7", at=AT)
    with pytest.raises(Conflict):
        register_customer(conn, name="Ben", external_key="CRM-7", at=AT)
    assert [each.name for each in select_customers(conn)] == ["Ann"]


def test_a_merged_customer_is_the_one_who_stays(conn: WriteConnection) -> None:
    ann = register_customer(conn, name="Ann", external_key="CRM-7", at=AT)
    old = register_customer(conn, name="A.", external_key="CRM-1", at=AT)
    merge(conn, old, into=ann)
    assert resolve_customer(conn, old.customer_id) == resolve_customer(conn, "CRM-1") == ann.customer_id
    assert select_customer(conn, old.customer_id) == select_customer_by_key(conn, "CRM-1") == ann
    assert select_customers(conn) == [ann]


def test_who_locks_a_merged_customer_locks_the_one_who_stays(database: str, conn: WriteConnection) -> None:
    with connect(database) as one, connect(database) as other:
        ann, old = make_customer(one), make_customer(one)
        merge(one, old, into=ann)
        with one.transaction():
            lock_customer(one, old.customer_id)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(
                    "select 1 from customer where customer_id = %s for no key update nowait", [ann.customer_id]
                )
    with pytest.raises(NotFound, match="customer cus_none is not known"):
        lock_customer(conn, CustomerId("cus_none"))


def test_nobody_is_merged_into_themselves_or_into_one_who_was_merged(conn: WriteConnection) -> None:
    ann, ben, cho = (make_customer(conn) for _ in range(3))
    lead = "update customer set merged_into = %s where customer_id = %s"
    conn.execute(lead, [ben.customer_id, ann.customer_id])
    for merged, into in ((cho, cho), (ben, ann), (cho, ann), (ben, cho)):
        with pytest.raises(psycopg.IntegrityError) as refused, conn.transaction():
            conn.execute(lead, [into.customer_id, merged.customer_id])
        assert refused.value.diag.constraint_name in (
            "customer_merges_into_another",
            "customer_merges_into_one_that_stays",
        )
    for merged in (ann, ben):
        conn.execute(lead, [cho.customer_id, merged.customer_id])
    assert select_customer(conn, ann.customer_id) == cho == select_customer(conn, ben.customer_id)
