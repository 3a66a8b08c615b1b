"""The ledger balances, only grows, and no refund takes back more or less than was earned."""

from itertools import pairwise

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.commission import compute_clawback, compute_commission
from attribution.ledger import move, post_entry
from attribution.ledger_nouns import AccountKind, CommissionPlan, EntryKind, Posting
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict
from millpond.kernel.money import Money
from tests.people import AT, make_shop
from tests.sales import bound_shop, sell


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
