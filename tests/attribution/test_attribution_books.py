"""Every payout and recovery can be recomputed from the orders."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale, refund_order
from attribution.release import pay_out, release_commissions
from attribution.statements.totals import ledger_balance, select_ledger_totals
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput
from millpond.kernel.ids import CustomerId, OrderId, Sku, StaffId
from millpond.kernel.money import Money
from tests.people import AT, make_customer, scan_badge
from tests.sales import DAY, balances, bound_shop


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
