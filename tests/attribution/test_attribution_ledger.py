"""The ledger balances, only grows, and every payout and recovery can be recomputed from the orders."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.commission import compute_clawback, compute_commission
from attribution.ledger import move, post_entry, select_balances
from attribution.ledger_nouns import AccountKind, CommissionPlan, EntryKind, Posting
from attribution.nouns import Channel, Order, OrderItem
from attribution.orders import record_sale, refund_order
from attribution.people import register_staff, register_store
from attribution.release import pay_out, release_commissions
from attribution.statements.customers import select_bound_customers
from attribution.statements.month import build_statement
from attribution.statements.totals import ledger_balance, select_ledger_totals
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput, LeaseLost, NotFound
from millpond.kernel.ids import CustomerId, OrderId, Sku, StaffId
from millpond.kernel.jobs import claim_run
from millpond.kernel.money import Money
from tests.people import AT, Shop, make_customer, make_shop, scan_badge
from tests.products import make_product

DAY = timedelta(days=1)
SOUNDBAR = OrderItem(Sku("REED-SOUNDBAR-3"))  # 179.00: 5.37 of commission


def sell(conn: WriteConnection, shop: Shop, at: datetime = AT, item: OrderItem = SOUNDBAR) -> Order:
    return record_sale(
        conn, customer_id=shop.customer.customer_id, channel=Channel.APP, items=[item], currency="EUR", at=at
    )


def bound_shop(conn: WriteConnection) -> Shop:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    return shop


def balances(conn: WriteConnection, staff_id: StaffId) -> tuple[int, int, int]:
    """Pending, available, paid, in cents."""
    held = select_balances(conn, staff_id)
    kinds = (AccountKind.PENDING, AccountKind.AVAILABLE, AccountKind.PAID)
    pending, available, paid = (held.get((kind, "EUR"), Money(0, "EUR")).amount_minor for kind in kinds)
    return pending, available, paid


@given(rate_bp=st.integers(0, 10_000), amount=st.integers(1, 10**9), cuts=st.lists(st.integers(1, 10**9), max_size=8))
def test_clawbacks_of_any_refunds_sum_to_what_was_earned(rate_bp: int, amount: int, cuts: list[int]) -> None:
    plan = CommissionPlan(1, rate_bp, 14)
    whole = Money(amount, "EUR")
    bounds = sorted({0, amount, *(cut % amount for cut in cuts)})
    backs = [
        compute_clawback(plan, whole, Money(low, "EUR"), Money(high - low, "EUR")) for low, high in pairwise(bounds)
    ]
    assert all(back.amount_minor >= 0 for back in backs)
    assert sum(back.amount_minor for back in backs) == compute_commission(plan, whole).amount_minor


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


def test_an_order_earns_once(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    order = sell(conn, shop)
    account = (AccountKind.PENDING, shop.staff.staff_id)
    postings = move((AccountKind.EXPENSE, shop.staff.staff_id), account, Money(1, "EUR"))
    with pytest.raises(Conflict, match="already earned its commission"):
        post_entry(conn, EntryKind.EARNED, postings, at=AT, order_id=order.order_id, plan_id=1)


def test_an_entry_that_does_not_balance_is_refused_at_commit(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        lopsided = [Posting(AccountKind.PENDING, shop.staff.staff_id, Money(5, "EUR"))]
        with pytest.raises(psycopg.errors.CheckViolation, match="does not balance") as refused:
            post_entry(conn, EntryKind.EARNED, lopsided, at=AT)
        assert refused.value.diag.constraint_name == "ledger_entry_balances"
        with pytest.raises(psycopg.errors.CheckViolation, match="does not balance"):
            post_entry(conn, EntryKind.EARNED, [], at=AT)
        assert conn.execute("select count(*) from ledger_entry").fetchone() == (0,)


def test_an_entry_cannot_be_unbalanced_later(database: str) -> None:
    with connect(database) as conn:
        shop = bound_shop(conn)
        sell(conn, shop)
        with pytest.raises(psycopg.errors.CheckViolation, match="does not balance"):
            conn.execute(
                "insert into posting (entry_id, line, account_id, amount_minor, currency)"
                " select entry_id, 9, account_id, 100, currency from posting limit 1"
            )


def test_a_posting_is_in_the_currency_of_its_account(conn: WriteConnection) -> None:
    sell(conn, bound_shop(conn))
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="posting_in_account_currency"):
        conn.execute(
            "insert into posting (entry_id, line, account_id, amount_minor, currency)"
            " select entry_id, 9, account_id, 100, 'KRW' from posting limit 1"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "update posting set amount_minor = amount_minor * 2",
        "delete from posting",
        "truncate posting",
        "update ledger_entry set happened_at = now()",
        "delete from ledger_entry",
        "truncate ledger_entry cascade",
    ],
)
def test_the_ledger_takes_no_change(conn: WriteConnection, statement: str) -> None:
    sell(conn, bound_shop(conn))
    conn.execute("set constraints all immediate")
    with pytest.raises(psycopg.errors.CheckViolation, match="post a correcting entry instead") as refused:
        conn.execute(statement)
    assert refused.value.diag.constraint_name == "ledger_only_grows"


@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_of_events_leaves_a_ledger_that_can_be_recomputed(database: str, seed: int) -> None:
    """The books of the schema against books kept here, from nothing but amounts and a rate."""
    rng = random.Random(seed)
    with connect(database) as conn:
        shop = bound_shop(conn)
        other = make_customer(conn)
        scan_badge(conn, other, shop.colleague)
        buyers = {shop.customer.customer_id: shop.staff.staff_id, other.customer_id: shop.colleague.staff_id}
        books = Books()
        at = AT
        for _ in range(40):
            at += timedelta(hours=rng.randrange(1, 96))
            books.step(conn, rng, buyers, at)
            assert ledger_balance(conn) == 0
        for staff_id in buyers.values():
            assert balances(conn, staff_id) == books.balances(staff_id), f"seed {seed}"
        [totals] = select_ledger_totals(conn)
        assert -totals.expense.amount_minor == sum(sum(books.balances(s)) for s in buyers.values())


@dataclass
class Sold:
    """An order in the second set of books."""

    staff: StaffId
    kept: int
    at: datetime
    released: bool = False


class Books:
    """A second set of books: what each order keeps, whether it was released, and what was paid."""

    def __init__(self) -> None:
        self.orders: dict[OrderId, Sold] = {}
        self.paid: Counter[str] = Counter()

    def step(self, conn: WriteConnection, rng: random.Random, buyers: dict[CustomerId, StaffId], at: datetime) -> None:
        kind = rng.choice(["order", "order", "refund", "refund", "release", "pay"])
        if kind == "order":
            self.order(conn, rng, buyers, at)
        elif kind == "refund" and self.orders:
            self.refund(conn, rng, at)
        elif kind == "release":
            self.release(conn, at)
        elif kind == "pay":
            self.pay(conn, rng.choice(list(buyers.values())), at)

    def order(self, conn: WriteConnection, rng: random.Random, buyers: dict[CustomerId, StaffId], at: datetime) -> None:
        customer_id = rng.choice(list(buyers))
        item = OrderItem(Sku(rng.choice(["REED-VAC-SIDE-BRUSH", "GENERIC-HEPA", "REED-TV-43"])), rng.randrange(1, 4))
        placed = record_sale(conn, customer_id=customer_id, channel=Channel.APP, items=[item], currency="EUR", at=at)
        kept = placed.amount.amount_minor
        self.orders[placed.order_id] = Sold(buyers[customer_id], kept, at)

    def refund(self, conn: WriteConnection, rng: random.Random, at: datetime) -> None:
        order_id = rng.choice(list(self.orders))
        order = self.orders[order_id]
        amount = rng.choice([order.kept, rng.randrange(1, order.kept + 2)])
        if 0 < amount <= order.kept:
            refund_order(conn, order_id, amount=Money(amount, "EUR"), at=at)
            order.kept -= amount
        else:
            with pytest.raises((Conflict, InvalidInput)):
                refund_order(conn, order_id, amount=Money(amount, "EUR"), at=at)

    def release(self, conn: WriteConnection, at: datetime) -> None:
        release_commissions(conn, at)
        for order in self.orders.values():
            # An order of which nothing is left has nothing to release, then or ever.
            if order.at + 14 * DAY <= at and commission(order.kept) > 0:
                order.released = True

    def pay(self, conn: WriteConnection, staff_id: StaffId, at: datetime) -> None:
        available = self.balances(staff_id)[1]
        assert sum(p.amount.amount_minor for p in pay_out(conn, staff_id, at=at)) == max(0, available)
        self.paid[staff_id] += max(0, available)

    def balances(self, staff_id: str) -> tuple[int, int, int]:
        mine = [order for order in self.orders.values() if order.staff == staff_id]
        pending = sum(commission(order.kept) for order in mine if not order.released)
        released = sum(commission(order.kept) for order in mine if order.released)
        return pending, released - self.paid[staff_id], self.paid[staff_id]


def commission(kept: int) -> int:
    """3 % to the nearest cent, halves up: amounts here are never negative."""
    return (kept * 3 + 50) // 100


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
