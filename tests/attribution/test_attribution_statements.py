"""What staff read of a month and of their customers, and operators of the whole ledger."""

from datetime import date, datetime

import pytest

from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale, refund_order
from attribution.people import register_staff, register_store
from attribution.release import pay_out, release_commissions
from attribution.statements.customers import select_bound_customers
from attribution.statements.month import build_statement
from attribution.statements.totals import select_ledger_totals
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import Sku, StaffId
from millpond.kernel.money import Money
from tests.people import AT, make_customer, make_shop, scan_badge
from tests.products import make_product
from tests.sales import DAY, bound_shop, sell


def test_a_statement_shows_a_month_of_the_store(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    january = datetime.fromisoformat("2026-02-28T23:59:59+09:00")
    march = datetime.fromisoformat("2026-03-01T00:00:00+09:00")
    first, second = sell(conn, shop, january), sell(conn, shop, march)
    refund_order(conn, first.order_id, amount=Money(7900, "EUR"), at=march + DAY)
    release_commissions(conn, march + 15 * DAY)
    pay_out(conn, shop.staff.staff_id, at=march + 16 * DAY)
    february = build_statement(conn, shop.staff.staff_id, date(2026, 2, 11))
    assert [(line.order_id, line.earned.amount_minor) for line in february.lines] == [(first.order_id, 537)]
    statement = build_statement(conn, shop.staff.staff_id, date(2026, 3, 1))
    shown = [
        (line.order_id, line.earned.amount_minor, line.clawed_back.amount_minor, line.released.amount_minor)
        for line in statement.lines
    ]
    assert shown == [(first.order_id, 0, 237, 300), (second.order_id, 537, 0, 537)]
    # A month that is over stays as it was: what is given back later belongs to the month in which it was.
    assert [line.refunded.amount_minor for line in february.lines] == [0]
    assert [line.refunded.amount_minor for line in statement.lines] == [7900, 0]
    [totals] = statement.totals
    values = (totals.earned, totals.clawed_back, totals.released, totals.paid_out, totals.pending, totals.payable)
    assert [money.amount_minor for money in values] == [537, 237, 837, 837, 0, 0]
    assert (totals.currency, totals.orders) == ("EUR", 1)


def test_every_order_counts_in_one_month_only(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    placed = [sell(conn, shop, AT + days * DAY) for days in (0, 20, 27, 40)]
    refund_order(conn, placed[0].order_id, amount=Money(100, "EUR"), at=AT + 45 * DAY)
    for days in (30, 60, 90):
        release_commissions(conn, AT + days * DAY)
    months = [build_statement(conn, shop.staff.staff_id, date(2026, month, 1)) for month in range(1, 7)]
    assert sum(totals.orders for month in months for totals in month.totals) == len(placed)
    assert sum(len(month.lines) for month in months) > len(placed)  # What moved later is shown again, and not counted.


def test_an_order_that_earns_nothing_is_on_the_statement_too(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    conn.execute("insert into commission_plan (rate_bp, return_window_days, valid_from) values (0, 14, %s)", [AT])
    order = sell(conn, shop, AT)
    statement = build_statement(conn, shop.staff.staff_id, AT.date())
    assert [(line.order_id, line.earned.amount_minor) for line in statement.lines] == [(order.order_id, 0)]
    assert [(each.currency, each.orders, each.earned.amount_minor) for each in statement.totals] == [("EUR", 1, 0)]


def test_a_statement_of_december_ends_with_the_year(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    statement = build_statement(conn, shop.staff.staff_id, date(2026, 12, 5))
    assert statement.ends_at.isoformat() == "2026-12-31T15:00:00+00:00"
    assert (statement.lines, statement.totals) == ((), ())
    with pytest.raises(NotFound):
        build_statement(conn, StaffId("stf_x"), date(2026, 1, 1))
    with pytest.raises(InvalidInput, match="no statement for the year 9999"):
        build_statement(conn, shop.staff.staff_id, date(9999, 12, 1))


def test_a_person_sees_their_customers_with_the_last_order(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    quiet = make_customer(conn)
    scan_badge(conn, quiet, shop.staff)
    scan_badge(conn, make_customer(conn), shop.colleague)
    sell(conn, shop)
    last = sell(conn, shop, AT + DAY)
    seen = {c.customer_id: c for c in select_bound_customers(conn, shop.staff.staff_id, at=AT + 2 * DAY)}
    assert set(seen) == {shop.customer.customer_id, quiet.customer_id}
    mine = seen[shop.customer.customer_id]
    assert (mine.last_order_id, mine.last_order, mine.orders) == (last.order_id, last.amount, 2)
    assert (seen[quiet.customer_id].last_order, seen[quiet.customer_id].orders) == (None, 0)


def test_two_currencies_are_kept_apart(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    make_product(conn, "KR-FILTER", 45_000, "KRW")
    store = register_store(conn, name="Seoul", currency="KRW", time_zone="Asia/Seoul", at=AT)
    seller = register_staff(conn, store_id=store.store_id, name="B", at=AT)
    sell(conn, shop)
    record_sale(
        conn,
        customer_id=shop.customer.customer_id,
        channel=Channel.STORE,
        store_id=store.store_id,
        sold_by=seller.staff_id,
        items=[OrderItem(Sku("KR-FILTER"))],
        currency="KRW",
        at=AT,
    )
    statement = build_statement(conn, shop.staff.staff_id, date(2026, 2, 1))
    assert [(t.currency, t.earned.amount_minor) for t in statement.totals] == [("EUR", 537), ("KRW", 1350)]
    assert [(t.currency, t.balance.amount_minor) for t in select_ledger_totals(conn)] == [("EUR", 0), ("KRW", 0)]
