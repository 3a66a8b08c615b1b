"""A customer is registered once and found again."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from customers.accounts import (
    find_or_register_customer,
    register_customer,
    select_customer,
    select_customer_by_key,
    select_customers,
)
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput
from tests.people import AT, make_customer


def test_a_customer_is_found_by_id_and_by_external_key(conn: WriteConnection) -> None:
    made = register_customer(conn, external_key="CRM-7", name="이서연", locale="ko", time_zone="Asia/Seoul", at=AT)
    assert select_customer(conn, made.customer_id) == made == select_customer_by_key(conn, "CRM-7")
    assert find_or_register_customer(conn, "CRM-7", at=AT) == made


def test_an_external_key_belongs_to_one_customer(conn: WriteConnection) -> None:
    register_customer(conn, external_key="CRM-7", name="A", at=AT)
    with pytest.raises(Conflict, match="external key already belongs"):
        register_customer(conn, external_key="CRM-7", name="B", at=AT)


def test_many_who_register_the_same_key_at_once_get_one_customer(database: str) -> None:
    def attempt(_: int) -> str:
        with connect(database) as own:
            return find_or_register_customer(own, "CRM-8", at=AT).customer_id

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(attempt, range(16)))) == 1


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("time_zone", "Mars/Base", "is not a time zone"), ("locale", "x", "is not a language tag")],
)
def test_a_customer_has_a_real_zone_and_language(conn: WriteConnection, field: str, value: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        register_customer(conn, name="A", at=AT, **{field: value})


def test_lists_are_paged_by_id(conn: WriteConnection) -> None:
    made = sorted(make_customer(conn).customer_id for _ in range(5))
    first = select_customers(conn, limit=3)
    rest = select_customers(conn, after=first[-1].customer_id, limit=3)
    assert [c.customer_id for c in first + rest] == made
