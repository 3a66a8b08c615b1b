"""Commission is released when the return window has passed, and paid out once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from attribution.nouns import OrderItem
from attribution.orders import refund_order
from attribution.release import pay_out, release_commissions
from attribution.statements.totals import ledger_balance
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost, NotFound
from millpond.kernel.ids import StaffId
from millpond.kernel.jobs import claim_run
from millpond.kernel.money import Money
from tests.people import AT
from tests.sales import DAY, SOUNDBAR, balances, bound_shop, sell


def test_commission_is_released_when_the_return_window_has_passed(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    sell(conn, shop)
    assert release_commissions(conn, AT + 14 * DAY - timedelta(microseconds=1)) == 0
    assert balances(conn, shop.staff.staff_id) == (537, 0, 0)
    assert release_commissions(conn, AT + 14 * DAY) == 1
    assert release_commissions(conn, AT + 14 * DAY) == 0
    assert balances(conn, shop.staff.staff_id) == (0, 537, 0)


def test_only_what_was_not_clawed_back_is_released(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    part, whole = sell(conn, shop), sell(conn, shop)
    refund_order(conn, part.order_id, amount=Money(7900, "EUR"), at=AT + DAY)
    refund_order(conn, whole.order_id, amount=whole.amount, at=AT + DAY)
    assert release_commissions(conn, AT + 20 * DAY) == 1
    assert balances(conn, shop.staff.staff_id) == (0, 300, 0)


def test_a_refund_after_the_payout_is_recovered_from_later_earnings(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    order = sell(conn, shop)
    release_commissions(conn, AT + 14 * DAY)
    assert [p.amount for p in pay_out(conn, shop.staff.staff_id, at=AT + 15 * DAY)] == [Money(537, "EUR")]
    refund_order(conn, order.order_id, amount=order.amount, at=AT + 16 * DAY)
    assert balances(conn, shop.staff.staff_id) == (0, -537, 537)
    assert pay_out(conn, shop.staff.staff_id, at=AT + 17 * DAY) == []
    sell(conn, shop, AT + 20 * DAY, OrderItem(SOUNDBAR.sku, 2))
    release_commissions(conn, AT + 40 * DAY)
    assert [p.amount for p in pay_out(conn, shop.staff.staff_id, at=AT + 41 * DAY)] == [Money(1074 - 537, "EUR")]
    assert balances(conn, shop.staff.staff_id) == (0, 0, 1074)
    assert ledger_balance(conn) == 0


def test_a_payout_is_made_once_and_only_to_somebody_known(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    sell(conn, shop)
    release_commissions(conn, AT + 14 * DAY)
    assert len(pay_out(conn, shop.staff.staff_id, at=AT + 15 * DAY)) == 1
    assert pay_out(conn, shop.staff.staff_id, at=AT + 15 * DAY) == []
    with pytest.raises(NotFound):
        pay_out(conn, StaffId("stf_x"), at=AT)


def test_a_release_that_lost_its_lease_writes_nothing(database: str) -> None:
    with connect(database) as conn:
        shop = bound_shop(conn)
        sell(conn, shop)
        old = claim_run(conn, "release", AT, holder="a", at=AT, lease=timedelta(0))
        new = claim_run(conn, "release", AT, holder="b", at=AT)
        assert old is not None
        assert new is not None
        with pytest.raises(LeaseLost):
            release_commissions(conn, AT + 20 * DAY, claim=old)
        assert balances(conn, shop.staff.staff_id) == (537, 0, 0)
        assert release_commissions(conn, AT + 20 * DAY, claim=new) == 1


def test_releases_and_payouts_that_race_move_every_cent_once(database: str) -> None:
    with connect(database) as conn:
        shop = bound_shop(conn)
        for _ in range(5):
            sell(conn, shop)
        start = threading.Barrier(6)

        def attempt(number: int) -> int:
            with connect(database) as own:
                start.wait()
                if number % 2:
                    return release_commissions(own, AT + 20 * DAY)
                pay_out(own, shop.staff.staff_id, at=AT + 20 * DAY)
                return 0

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(attempt, range(6))) == 5
        pay_out(conn, shop.staff.staff_id, at=AT + 21 * DAY)
        assert balances(conn, shop.staff.staff_id) == (0, 0, 5 * 537)
        assert ledger_balance(conn) == 0


def test_payouts_that_race_pay_once(database: str) -> None:
    with connect(database) as conn:
        shop = bound_shop(conn)
        start = threading.Barrier(6)

        def attempt(day: int) -> int:
            with connect(database) as own:
                start.wait()
                return len(pay_out(own, shop.staff.staff_id, at=AT + day * DAY))

        for day in range(20, 25):
            sell(conn, shop)
            release_commissions(conn, AT + day * DAY)
            with ThreadPoolExecutor(6) as threads:
                assert sum(threads.map(attempt, [day] * 6)) == 1
        assert balances(conn, shop.staff.staff_id) == (0, 0, 5 * 537)
