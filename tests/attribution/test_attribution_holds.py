"""What one person alone could earn is looked at before it is released, and no cent goes astray on the way."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import Any

import pytest

from attribution.hold_nouns import Ceilings, Hold, HoldDecision, HoldReason
from attribution.holds import approve_hold, count_waiting_holds, reject_hold, select_hold, select_holds
from attribution.ledger import select_balances
from attribution.ledger_nouns import AccountKind
from attribution.nouns import Channel, Order, OrderItem, Staff
from attribution.orders import record_sale, refund_order
from attribution.people import register_staff
from attribution.release import pay_out, release_commissions
from attribution.statements.month import build_statement
from attribution.statements.totals import ledger_balance
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import OrderId, Sku
from millpond.kernel.money import Money
from millpond.kernel.settings import Settings
from tests.people import AT, Shop, make_customer, make_shop, scan_badge
from tests.races import race

DAY = timedelta(days=1)
CEILINGS = Ceilings(order_minor=50_000, day_minor=100_000)
SOUNDBAR = Sku("REED-SOUNDBAR-3")  # 179.00: 5.37 of commission


def bound_shop(conn: WriteConnection) -> Shop:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    return shop


def sell(
    conn: WriteConnection,
    shop: Shop,
    *,
    by: Staff | None = None,
    pieces: int = 1,
    at: datetime = AT,
    ceilings: Ceilings = CEILINGS,
) -> Order:
    """At the till by somebody, else in the app."""
    till: dict[str, Any] = {"channel": Channel.STORE, "store_id": by.store_id, "sold_by": by.staff_id} if by else {}
    given: dict[str, Any] = {
        "channel": Channel.APP,
        "items": [OrderItem(SOUNDBAR, pieces)],
        "currency": "EUR",
        "at": at,
    } | till
    return record_sale(conn, customer_id=shop.customer.customer_id, ceilings=ceilings, **given)


def reason_of(conn: WriteConnection, order: Order) -> HoldReason | None:
    hold = select_hold(conn, order.order_id)
    return hold.reason if hold else None


def balances(conn: WriteConnection, staff: Staff) -> tuple[int, int, int]:
    """Pending, available, paid, in cents."""
    held = select_balances(conn, staff.staff_id)
    kinds = (AccountKind.PENDING, AccountKind.AVAILABLE, AccountKind.PAID)
    pending, available, paid = (held.get((kind, "EUR"), Money(0, "EUR")).amount_minor for kind in kinds)
    return pending, available, paid


def test_the_ceilings_of_a_sale_are_those_of_the_settings() -> None:
    settings = Settings()
    assert Ceilings() == Ceilings(settings.order_ceiling_minor, settings.day_ceiling_minor)


def test_a_sale_to_ones_own_customer_under_a_second_name_waits_for_a_look_too(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    own_account = make_customer(conn).customer_id
    twice = [
        register_staff(conn, store_id=shop.staff.store_id, name=name, at=AT, customer_id=own_account)
        for name in ("Mina", "Mina again")
    ]
    scan_badge(conn, shop.customer, twice[0])
    assert reason_of(conn, sell(conn, shop, by=twice[1])) is HoldReason.SELF_CREDITED
    assert reason_of(conn, sell(conn, shop, by=shop.colleague)) is None


def test_a_sale_to_ones_own_customer_waits_for_a_look(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    own, colleagues, app = sell(conn, shop, by=shop.staff), sell(conn, shop, by=shop.colleague), sell(conn, shop)
    assert [reason_of(conn, order) for order in (own, colleagues, app)] == [HoldReason.SELF_CREDITED, None, None]
    assert release_commissions(conn, AT + 20 * DAY) == 2
    assert balances(conn, shop.staff) == (537, 1074, 0)
    [held] = select_holds(conn)
    assert (held.order_id, held.credited_name, held.amount, held.earned) == (
        own.order_id,
        shop.staff.name,
        Money(17_900, "EUR"),
        Money(537, "EUR"),
    )


def test_a_sale_to_nobodys_customer_is_not_held(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    assert reason_of(conn, sell(conn, shop, by=shop.staff, pieces=1_000)) is None
    assert count_waiting_holds(conn) == 0


def test_sales_of_before_there_were_holds_wait_unless_they_were_released(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    early, _ = sell(conn, shop, by=shop.staff), sell(conn, shop, by=shop.colleague)
    late = sell(conn, shop, by=shop.staff, at=AT + 10 * DAY)
    conn.execute("delete from commission_hold")
    assert release_commissions(conn, AT + 15 * DAY) == 2
    upgrade = files("millpond.migrations").joinpath("0040_commission_holds.sql").read_text().split(";")[-2]
    conn.execute(upgrade.encode())
    assert [(hold.order_id, hold.reason) for hold in select_holds(conn)] == [(late.order_id, HoldReason.SELF_CREDITED)]
    assert early.order_id != late.order_id


def test_an_order_above_its_ceiling_waits_and_one_at_it_does_not(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    at_it = Ceilings(order_minor=2 * 17_900, day_minor=10**9)
    assert reason_of(conn, sell(conn, shop, pieces=2, ceilings=at_it)) is None
    assert reason_of(conn, sell(conn, shop, pieces=3, ceilings=at_it)) is HoldReason.ORDER_CEILING


def test_a_day_above_its_ceiling_waits_from_the_order_that_crosses_it(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    other = make_customer(conn)
    scan_badge(conn, other, shop.staff)
    small = Ceilings(order_minor=10**9, day_minor=2 * 17_900)
    hours = [0, 1, 2, 25, 49]
    placed = [sell(conn, shop, at=AT + timedelta(hours=hour), ceilings=small) for hour in hours]
    # The first two fill the day, the third crosses it; at hour 25 those of hours 2 and 25 count, at hour 49 one alone.
    assert [reason_of(conn, order) for order in placed] == [None, None, HoldReason.DAY_CEILING, None, None]


def test_what_was_given_back_frees_the_day(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    small = Ceilings(order_minor=10**9, day_minor=17_900)
    first = sell(conn, shop, ceilings=small)
    refund_order(conn, first.order_id, amount=first.amount, at=AT)
    assert reason_of(conn, sell(conn, shop, ceilings=small)) is None
    assert reason_of(conn, sell(conn, shop, ceilings=small)) is HoldReason.DAY_CEILING


def test_orders_at_once_do_not_slip_under_the_ceiling_of_a_day(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        buyers = [make_customer(conn) for _ in range(6)]
        for buyer in buyers:
            scan_badge(conn, buyer, shop.staff)

        def buying(shop: Shop) -> Callable[[WriteConnection], Order]:
            return lambda own: sell(own, shop, ceilings=Ceilings(order_minor=10**9, day_minor=3 * 17_900))

        race(database, [buying(Shop(shop.store, shop.staff, shop.colleague, buyer)) for buyer in buyers])
        assert count_waiting_holds(conn) == 3


def test_what_is_approved_is_released_when_its_time_has_come(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    order = sell(conn, shop, by=shop.staff)
    held = approve_hold(conn, order.order_id, actor="operator:ops", at=AT + DAY, note="the customer was there")
    assert (held.decision, held.decided_by, held.note) == (
        HoldDecision.APPROVED,
        "operator:ops",
        "the customer was there",
    )
    assert release_commissions(conn, AT + 13 * DAY) == 0
    assert release_commissions(conn, AT + 14 * DAY) == 1
    assert balances(conn, shop.staff) == (0, 537, 0)
    assert select_holds(conn) == []
    assert [hold.order_id for hold in select_holds(conn, waiting=False)] == [order.order_id]


def test_what_is_rejected_is_taken_back_by_an_entry_of_its_own(conn: WriteConnection) -> None:
    shop = bound_shop(conn)
    order = sell(conn, shop, by=shop.staff)
    refund_order(conn, order.order_id, amount=Money(7_900, "EUR"), at=AT)
    reject_hold(conn, order.order_id, actor="operator:ops", at=AT + DAY)
    assert balances(conn, shop.staff) == (0, 0, 0)
    assert release_commissions(conn, AT + 20 * DAY) == 0
    rest = refund_order(conn, order.order_id, amount=Money(10_000, "EUR"), at=AT + 21 * DAY)
    assert rest.clawed_back == Money(0, "EUR")
    assert balances(conn, shop.staff) == (0, 0, 0)
    statement = build_statement(conn, shop.staff.staff_id, AT.date())
    [line], [totals] = statement.lines, statement.totals
    assert (line.earned, line.clawed_back) == (totals.earned, totals.clawed_back) == (Money(537, "EUR"),) * 2
    assert (line.held, line.decision) == (False, HoldDecision.REJECTED)
    conn.execute("set constraints all immediate")
    assert ledger_balance(conn) == 0


@pytest.mark.parametrize("first", [approve_hold, reject_hold])
@pytest.mark.parametrize("second", [approve_hold, reject_hold])
def test_a_look_is_taken_once(conn: WriteConnection, first: Callable[..., Hold], second: Callable[..., Hold]) -> None:
    shop = bound_shop(conn)
    order = sell(conn, shop, by=shop.staff)
    first(conn, order.order_id, actor="operator:ops", at=AT)
    with pytest.raises(Conflict, match=r"was already (approved|rejected)"):
        second(conn, order.order_id, actor="operator:ops", at=AT)
    for unheld in (sell(conn, shop).order_id, "ord_none"):
        with pytest.raises(NotFound, match="nothing is held of order"):
            second(conn, unheld, actor="operator:ops", at=AT)


def test_looks_refunds_and_releases_at_once_leave_a_ledger_that_balances(database: str) -> None:
    with connect(database) as conn:
        shop = bound_shop(conn)
        for _ in range(20):
            order = sell(conn, shop, by=shop.staff)
            tries: list[Callable[[WriteConnection], object]] = [
                partial(approve_hold, order_id=order.order_id, actor="operator:a", at=AT),
                partial(reject_hold, order_id=order.order_id, actor="operator:b", at=AT),
                partial(refund_order, order_id=order.order_id, amount=Money(5_000, "EUR"), at=AT),
                partial(release_commissions, at=AT + 20 * DAY),
            ]
            race(database, tries)
            hold = select_hold(conn, order.order_id)
            assert hold is not None
            assert hold.decision is not None
        release_commissions(conn, AT + 20 * DAY)
        approved = sum(hold.decision is HoldDecision.APPROVED for hold in select_holds(conn, waiting=False))
        assert balances(conn, shop.staff) == (0, approved * 387, 0)  # 3 % of the 129.00 that the customer kept.
        assert ledger_balance(conn) == 0


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_looks_and_refunds_pays_what_was_approved_and_kept(database: str, seed: int) -> None:
    rng = random.Random(seed)
    with connect(database) as conn:
        shop = bound_shop(conn)
        kept: dict[OrderId, int] = {}
        rejected: set[str] = set()
        for day in range(30):
            at = AT + day * DAY
            order = sell(
                conn, shop, by=rng.choice([shop.staff, shop.colleague, None]), pieces=rng.randrange(1, 5), at=at
            )
            kept[order.order_id] = order.amount.amount_minor
            for waiting in rng.sample(select_holds(conn), k=min(2, count_waiting_holds(conn))):
                decide = rng.choice([approve_hold, reject_hold])
                decide(conn, waiting.order_id, actor="operator:ops", at=at)
                rejected |= {waiting.order_id} if decide is reject_hold else set()
            given = rng.choice(list(kept))
            if cut := rng.randrange(0, kept[given] + 1):
                refund_order(conn, given, amount=Money(cut, "EUR"), at=at)
                kept[given] -= cut
            release_commissions(conn, at)
            pay_out(conn, shop.staff.staff_id, at=at)
            assert ledger_balance(conn) == 0
        for waiting in select_holds(conn):
            approve_hold(conn, waiting.order_id, actor="operator:ops", at=AT + 40 * DAY)
        release_commissions(conn, AT + 60 * DAY)
        pending, available, paid = balances(conn, shop.staff)
        owed = sum((amount * 3 + 50) // 100 for order_id, amount in kept.items() if order_id not in rejected)
        assert (pending, available + paid) == (0, owed), f"seed {seed}"
