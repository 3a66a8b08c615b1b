"""A need stays answerable: when its discount ran out, at the plain price."""

from datetime import UTC, datetime

from millpond.kernel.db import WriteConnection
from offers.life import accept_offer, decline_offer
from offers.nouns import Offer
from offers.store import select_decisions
from tests.household import DAY, LEAD, current_part, forecast, make_device, offers_of, run_job
from tests.people import AT, Shop, make_shop, scan_badge

P10 = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
DUE = P10 - LEAD.total


def make_reduced_offer(conn: WriteConnection) -> tuple[Shop, Offer]:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    device = make_device(conn, "AIR-1", "reed-air-2", shop.customer.customer_id, AT - 200 * DAY)
    forecast(conn, current_part(conn, device), P10, at=DUE - DAY)
    run_job(conn, DUE)
    [reduced] = offers_of(conn, shop.customer.customer_id)
    assert reduced.price != reduced.list_price
    return shop, reduced


def test_a_need_whose_discount_ran_out_can_be_answered_at_the_plain_price_until_it_is_declined(
    conn: WriteConnection,
) -> None:
    shop, reduced = make_reduced_offer(conn)
    summary = run_job(conn, reduced.valid_until)
    assert (summary.expired, summary.issued, summary.credited) == (1, 1, 1)
    plain = offers_of(conn, shop.customer.customer_id)[0]
    assert (plain.price, plain.list_price) == (reduced.list_price, reduced.list_price)
    assert plain.valid_until == reduced.valid_until + 31 * DAY
    gates = select_decisions(conn, customer_id=shop.customer.customer_id)[0].gates
    assert "an offer of this was expired on 2026-02-27: it is made again at the plain price" in {g.why for g in gates}
    assert run_job(conn, plain.valid_until).issued == 1
    again = offers_of(conn, shop.customer.customer_id)[0]
    decline_offer(conn, again.offer_id, customer_id=shop.customer.customer_id, at=again.issued_at + DAY)
    assert run_job(conn, again.valid_until + 300 * DAY).issued == 0


def test_an_order_at_the_plain_price_is_credited_like_any_other(conn: WriteConnection) -> None:
    shop, reduced = make_reduced_offer(conn)
    run_job(conn, reduced.valid_until)
    plain = offers_of(conn, shop.customer.customer_id)[0]
    at = reduced.valid_until + DAY
    order = accept_offer(conn, plain.offer_id, customer_id=shop.customer.customer_id, at=at).order
    assert (order.amount, order.credited_to) == (reduced.list_price, shop.staff.staff_id)
    assert run_job(conn, at + DAY).issued == 0
