"""A sale in any channel is credited to who is bound; a refund takes its share back."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from attribution.bindings import transfer_binding
from attribution.ledger import select_balances
from attribution.ledger_nouns import AccountKind
from attribution.nouns import Channel, Order, OrderItem, Refund
from attribution.orders import record_sale, refund_order, select_order, select_orders, select_refunds
from attribution.people import register_staff
from attribution.statements.totals import ledger_balance
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput, MillpondError, NotFound
from millpond.kernel.ids import CustomerId, OrderId, Sku, StaffId, StoreId
from millpond.kernel.money import MOST_MINOR, Money
from tests.people import AT, Shop, make_customer, make_shop, make_store, scan_badge
from tests.products import make_product

DAY = timedelta(days=1)
FILTER = OrderItem(Sku("REED-HEPA-H13"), 2)
BRUSH = OrderItem(Sku("REED-VAC-MAIN-BRUSH"))


def buy(conn: WriteConnection, shop: Shop, items: Sequence[OrderItem] = (FILTER, BRUSH), **more: Any) -> Order:
    given: dict[str, Any] = {"channel": Channel.APP, "currency": "EUR", "at": AT + DAY} | more
    return record_sale(conn, customer_id=shop.customer.customer_id, items=items, **given)


def pending(conn: WriteConnection, staff_id: StaffId) -> int:
    return select_balances(conn, staff_id).get((AccountKind.PENDING, "EUR"), Money(0, "EUR")).amount_minor


def settle(conn: WriteConnection) -> None:
    """Let the deferred rules of the ledger speak before the test's transaction is rolled back."""
    conn.execute("set constraints all immediate")
    assert ledger_balance(conn) == 0


def test_an_order_is_priced_from_the_catalogue_and_credited(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    binding = scan_badge(conn, shop.customer, shop.staff)
    order = buy(conn, shop)
    assert order.amount == Money(2 * 3990 + 1990, "EUR")
    assert (order.credited_to, order.binding_id) == (shop.staff.staff_id, binding.binding_id)
    assert select_order(conn, order.order_id) == order
    assert pending(conn, shop.staff.staff_id) == 299  # 3 % of 99.70
    settle(conn)


def test_a_sale_in_another_store_is_credited_to_who_is_bound_not_to_who_sold(conn: WriteConnection) -> None:
    shop, other = make_shop(conn), make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    order = buy(conn, shop, channel=Channel.STORE, store_id=other.store.store_id, sold_by=other.staff.staff_id)
    assert (order.credited_to, order.sold_by) == (shop.staff.staff_id, other.staff.staff_id)
    assert select_balances(conn, other.staff.staff_id) == {}


def test_an_order_of_somebody_never_scanned_is_credited_to_nobody(conn: WriteConnection) -> None:
    order = buy(conn, make_shop(conn))
    assert (order.credited_to, order.binding_id) == (None, None)
    assert refund_order(conn, order.order_id, amount=order.amount, at=AT + DAY).clawed_back == Money(0, "EUR")
    settle(conn)


def test_credit_goes_to_the_binding_in_force_when_the_order_is_placed(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    binding = scan_badge(conn, shop.customer, shop.staff)
    transfer_binding(conn, binding.binding_id, to_staff_id=shop.colleague.staff_id, at=AT)
    credited = [buy(conn, shop, at=moment).credited_to for moment in (AT + DAY - timedelta(seconds=1), AT + DAY)]
    assert credited == [shop.staff.staff_id, shop.colleague.staff_id]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"items": ()}, "at least one line"),
        ({"items": (OrderItem(Sku("NO-SUCH")),)}, "product NO-SUCH is not known"),
        ({"items": (OrderItem(FILTER.sku, 0),)}, "must be 1 to 1,000, not 0"),
        ({"currency": "KRW"}, "REED-HEPA-H13 is sold in EUR, the order is in KRW"),
        ({"channel": Channel.STORE}, "an order in a store names the store"),
        ({"store_id": StoreId("sto_x")}, "an order in a store names the store"),
        ({"channel": Channel.STORE, "store_id": StoreId("sto_x")}, "store sto_x is not known"),
        ({"sold_by": StaffId("stf_x")}, "staff member stf_x does not work there"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(conn: WriteConnection, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        buy(conn, make_shop(conn), **more)


def test_a_store_sells_in_its_own_currency_and_through_its_own_people(conn: WriteConnection) -> None:
    shop, korean = make_shop(conn), make_store(conn, currency="KRW")
    with pytest.raises(InvalidInput, match="sells in KRW, not in EUR"):
        buy(conn, shop, channel=Channel.STORE, store_id=korean.store_id)
    elsewhere = register_staff(conn, store_id=korean.store_id, name="A", at=AT)
    with pytest.raises(InvalidInput, match="does not work there"):
        buy(conn, shop, channel=Channel.STORE, store_id=shop.store.store_id, sold_by=elsewhere.staff_id)


def test_an_unknown_customer_or_order_is_not_found(conn: WriteConnection) -> None:
    with pytest.raises(NotFound, match="customer cus_x"):
        record_sale(conn, customer_id=CustomerId("cus_x"), channel=Channel.APP, items=[BRUSH], currency="EUR", at=AT)
    with pytest.raises(NotFound, match="order ord_x"):
        refund_order(conn, OrderId("ord_x"), amount=Money(1, "EUR"), at=AT)


def test_a_refund_reverses_its_share(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    order = buy(conn, shop)
    half = refund_order(conn, order.order_id, amount=Money(3990, "EUR"), at=AT + 2 * DAY, reason="one came back")
    assert half.clawed_back == Money(120, "EUR")
    assert pending(conn, shop.staff.staff_id) == 179  # 3 % of the 59.80 that are left
    rest = refund_order(conn, order.order_id, amount=Money(5980, "EUR"), at=AT + 3 * DAY)
    assert pending(conn, shop.staff.staff_id) == 0
    assert select_refunds(conn, order.order_id) == [half, rest]
    settle(conn)


def test_a_refund_larger_than_what_is_left_is_refused_by_the_schema(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    order = buy(conn, shop)
    refund_order(conn, order.order_id, amount=Money(9000, "EUR"), at=AT + DAY)
    with pytest.raises(Conflict, match="the refund is larger than what is left of the order"):
        refund_order(conn, order.order_id, amount=Money(971, "EUR"), at=AT + DAY)
    again = select_order(conn, order.order_id)
    assert again is not None
    assert again.refunded == Money(9000, "EUR")


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (Money(100, "KRW"), "the order is in EUR, the refund in KRW"),
        (Money(0, "EUR"), "more than nothing"),
        (Money(-5, "EUR"), "more than nothing"),
    ],
)
def test_a_refund_that_cannot_be_meant_is_refused(conn: WriteConnection, amount: Money, sentence: str) -> None:
    order = buy(conn, make_shop(conn))
    with pytest.raises(InvalidInput, match=sentence):
        refund_order(conn, order.order_id, amount=amount, at=AT + DAY)


def test_refunds_that_race_never_give_back_more_than_was_paid(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        scan_badge(conn, shop.customer, shop.staff)
        order = buy(conn, shop)
        start = threading.Barrier(8)

        def attempt(_: int) -> Refund | MillpondError:
            with connect(database) as own:
                start.wait()
                try:
                    return refund_order(own, order.order_id, amount=Money(3317, "EUR"), at=AT + DAY)
                except MillpondError as error:
                    return error

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(attempt, range(8)))
        assert sum(isinstance(a, Refund) for a in answers) == 3
        assert sum(isinstance(a, Conflict) for a in answers) == 5
        # 3 % of the 0.19 that are left; refunds that did not see each other would leave another cent.
        assert pending(conn, shop.staff.staff_id) == 1
        assert ledger_balance(conn) == 0


def test_orders_that_race_to_open_an_account_open_one(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        customers = [make_customer(conn) for _ in range(8)]
        for customer in customers:
            scan_badge(conn, customer, shop.staff)
        start = threading.Barrier(8)

        def attempt(customer_id: CustomerId) -> Order:
            with connect(database) as own:
                start.wait()
                return record_sale(
                    own, customer_id=customer_id, channel=Channel.WEB, items=[BRUSH], currency="EUR", at=AT
                )

        with ThreadPoolExecutor(8) as threads:
            orders = list(threads.map(attempt, [c.customer_id for c in customers]))
        assert len(orders) == 8
        assert pending(conn, shop.staff.staff_id) == 8 * 60
        assert conn.execute("select count(*) from account").fetchone() == (2,)


def test_orders_are_paged_newest_first(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    made = [buy(conn, shop, [BRUSH], at=AT + n * DAY) for n in range(5)]
    first = select_orders(conn, customer_id=shop.customer.customer_id, limit=2)
    before = (first[-1].placed_at, first[-1].order_id)
    rest = select_orders(conn, customer_id=shop.customer.customer_id, before=before)
    assert first + rest == made[::-1]


def test_an_order_costs_what_its_moment_costs(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    lamp = priced(conn, "LAMP", 4990)
    make_product(conn, "LAMP", 3990, at=AT + DAY)
    costs = [buy(conn, shop, [lamp], at=at).amount for at in (AT, AT + DAY - timedelta(microseconds=1), AT + DAY)]
    assert costs == [Money(4990, "EUR"), Money(4990, "EUR"), Money(3990, "EUR")]


def priced(conn: WriteConnection, sku: str, minor: int, currency: str = "EUR") -> OrderItem:
    """A product of that price."""
    return OrderItem(make_product(conn, sku, minor, currency))


def test_the_largest_order_can_be_given_back_in_one_go_and_a_larger_one_is_refused(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    largest, more = priced(conn, "DEAR", MOST_MINOR), priced(conn, "DEARER", MOST_MINOR // 1000 + 1)
    order = buy(conn, shop, [largest])
    assert refund_order(conn, order.order_id, amount=order.amount, at=AT + DAY).amount == order.amount
    with pytest.raises(InvalidInput, match="more than 999,999,999,999,999 minor units of EUR: split it"):
        buy(conn, shop, [OrderItem(more.sku, 1000)])
    settle(conn)
