"""Scans and spent codes go when they are old; what they brought about stays."""

from datetime import timedelta

import pytest

from attribution.bindings import bind_customer, binding_at
from attribution.tokens import issue_screen_token
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from tests.endings import retain
from tests.people import AT, KEYS, make_customer, make_shop, scan_badge

DAY = timedelta(days=1)


def test_an_old_scan_goes_and_the_binding_that_it_made_stays(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    binding = scan_badge(conn, shop.customer, shop.staff)
    scan_badge(conn, shop.customer, shop.colleague, AT + 10 * DAY)
    assert retain(conn, AT + 185 * DAY) == {"scans": 1}
    assert conn.execute("select scanned_at from scan").fetchall() == [(AT + 10 * DAY,)]
    assert binding_at(conn, shop.customer.customer_id, AT + 185 * DAY) == binding


def test_a_spent_code_is_forgotten_when_it_could_not_be_used_anyway(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    for at in (AT, AT + 5 * DAY):
        token = issue_screen_token(KEYS, shop.staff, at=at)
        bind_customer(conn, token=token, customer_id=shop.customer.customer_id, keys=KEYS, at=at)
    assert retain(conn, AT + 8 * DAY) == {"spent codes": 1}
    with pytest.raises(InvalidInput, match="expired"):
        bind_customer(conn, token=token, customer_id=make_customer(conn).customer_id, keys=KEYS, at=AT + 8 * DAY)


def test_a_spent_code_is_known_at_least_until_it_expires(conn: WriteConnection) -> None:
    shop, life = make_shop(conn), 20 * DAY
    token = issue_screen_token(KEYS, shop.staff, at=AT, lifetime=life)
    bind_customer(conn, token=token, customer_id=shop.customer.customer_id, keys=KEYS, at=AT)
    assert retain(conn, AT + 19 * DAY, screen_code_s=life.total_seconds()) == {}
