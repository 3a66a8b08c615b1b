"""Stores and staff are registered once and found again."""

import pytest

from attribution.hold_nouns import HoldReason
from attribution.holds import select_hold
from attribution.nouns import Channel
from attribution.orders import record_sale
from attribution.people import register_staff, register_store, select_staff, select_staff_member
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import StoreId
from tests.people import AT, make_customer, make_shop, merge, scan_badge
from tests.sales import SOUNDBAR


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


def test_whose_account_was_merged_into_another_still_cannot_credit_themselves(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    old, now = make_customer(conn), make_customer(conn)
    made = register_staff(conn, store_id=shop.store.store_id, name="Ann", customer_id=old.customer_id, at=AT)
    assert made.customer_id == old.customer_id
    merge(conn, old, into=now)
    member = select_staff_member(conn, made.staff_id)
    assert member is not None
    assert member.customer_id == now.customer_id
    with pytest.raises(InvalidInput, match="this is your own code"):
        scan_badge(conn, now, member)


def test_two_registrations_of_one_person_stay_one_person_when_their_accounts_are_merged(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    old, now = make_customer(conn), make_customer(conn)
    seller, credited = (
        register_staff(conn, store_id=shop.store.store_id, name="Ann", customer_id=account.customer_id, at=AT)
        for account in (old, now)
    )
    merge(conn, old, into=now)
    scan_badge(conn, shop.customer, credited)
    order = record_sale(
        conn,
        customer_id=shop.customer.customer_id,
        channel=Channel.STORE,
        store_id=shop.store.store_id,
        sold_by=seller.staff_id,
        items=[SOUNDBAR],
        currency="EUR",
        at=AT,
    )
    hold = select_hold(conn, order.order_id)
    assert hold is not None
    assert hold.reason is HoldReason.SELF_CREDITED
