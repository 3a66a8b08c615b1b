"""Stores and staff are registered once and found again."""

import pytest

from attribution.people import register_staff, register_store, select_staff, select_staff_member
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import StoreId
from tests.people import AT, make_shop


def test_a_store_and_its_staff_must_make_sense(conn: WriteConnection) -> None:
    with pytest.raises(InvalidInput, match="is not a currency in use"):
        register_store(conn, name="Shop", currency="ZZZ", at=AT)
    with pytest.raises(InvalidInput, match="store is not known"):
        register_staff(conn, store_id=StoreId("sto_none"), name="A", at=AT)


def test_staff_are_listed_by_store(conn: WriteConnection) -> None:
    shop, other = make_shop(conn), make_shop(conn)
    ids = {s.staff_id for s in select_staff(conn, store_id=shop.store.store_id)}
    assert ids == {shop.staff.staff_id, shop.colleague.staff_id}
    assert select_staff_member(conn, other.staff.staff_id) == other.staff
