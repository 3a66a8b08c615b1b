"""What a household has, ordered or put in is not offered to it."""

from datetime import timedelta

from attribution.orders import refund_order
from millpond.kernel.db import WriteConnection
from millpond.kernel.money import Money
from offers.life import accept_offer
from offers.nouns import OfferState
from tests.household import DAY, LEAD, current_part, forecast, offers_of, read_offer, replace_part, run_job, steps_of
from tests.offers.due import DUE, P10, buy, last_gate, make_due, make_purifier
from tests.people import make_shop


def test_a_purchase_in_a_shop_withdraws_the_offer_and_a_refund_brings_another(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    run_job(conn, DUE)
    order = buy(conn, shop, DUE + DAY)
    [offer] = offers_of(conn, shop.customer.customer_id)
    assert offer.state is OfferState.WITHDRAWN
    assert steps_of(conn, offer.offer_id)[-1][1] == order.order_id
    assert run_job(conn, DUE + DAY).issued == 0
    assert last_gate(conn, shop)[0] == "not_ordered"
    refund_order(conn, order.order_id, amount=order.amount, at=DUE + 2 * DAY)
    assert run_job(conn, DUE + 2 * DAY).issued == 1


def test_what_was_bought_since_the_scheduled_time_of_a_late_run_is_not_offered(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    buy(conn, shop, DUE + timedelta(minutes=10))
    assert run_job(conn, DUE).issued == 0
    assert last_gate(conn, shop)[0] == "not_ordered"


def test_a_partly_refunded_order_still_counts_as_stock(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    order = buy(conn, shop, DUE - DAY)
    refund_order(conn, order.order_id, amount=Money(100, "EUR"), at=DUE)
    assert run_job(conn, DUE).issued == 0


def test_an_accepted_offer_is_not_made_again_until_the_part_it_bought_is_used_up(conn: WriteConnection) -> None:
    shop, device = make_due(conn)
    run_job(conn, DUE)
    accept_offer(
        conn, offers_of(conn, shop.customer.customer_id)[0].offer_id, customer_id=shop.customer.customer_id, at=DUE
    )
    assert run_job(conn, DUE + DAY).issued == 0
    replace_part(conn, current_part(conn, device), P10)
    forecast(conn, current_part(conn, device), P10 + 100 * DAY, at=P10 + DAY)
    assert run_job(conn, P10 + 100 * DAY - LEAD.total).issued == 1


def test_a_part_bought_elsewhere_is_not_taken_from_later_stock(conn: WriteConnection) -> None:
    shop, device = make_due(conn)
    replace_part(conn, current_part(conn, device), DUE)
    forecast(conn, current_part(conn, device), P10 + 100 * DAY, at=DUE + DAY)
    buy(conn, shop, DUE + 90 * DAY)
    assert run_job(conn, P10 + 100 * DAY - LEAD.total).issued == 0


def test_stock_at_home_provides_for_the_part_that_is_used_up_first(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    first, second = (make_purifier(conn, shop, serial) for serial in ("AIR-1", "AIR-2"))
    forecast(conn, current_part(conn, first), P10, at=DUE)
    forecast(conn, current_part(conn, second), P10 + 2 * DAY, at=DUE)
    buy(conn, shop, DUE)
    assert run_job(conn, DUE + 2 * DAY).issued == 1
    [offer] = offers_of(conn, shop.customer.customer_id)
    assert offer.subject.device_id == second.device_id


def test_accepting_for_one_device_leaves_the_offer_for_the_other(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    devices = [make_purifier(conn, shop, serial) for serial in ("AIR-1", "AIR-2")]
    for device in devices:
        forecast(conn, current_part(conn, device), P10 + device.device_id % 2 * DAY, at=DUE)
    run_job(conn, DUE + DAY)
    offers = sorted(offers_of(conn, shop.customer.customer_id), key=lambda o: o.facts["depletion"]["p10"])
    assert len(offers) == 2
    accept_offer(conn, offers[0].offer_id, customer_id=shop.customer.customer_id, at=DUE + DAY)
    states = [read_offer(conn, offer.offer_id).state for offer in offers]
    assert states == [OfferState.ORDERED, OfferState.OPEN]
    buy(conn, shop, DUE + DAY)
    assert {o.state for o in offers_of(conn, shop.customer.customer_id)} == {OfferState.ORDERED, OfferState.WITHDRAWN}


def test_a_replacement_withdraws_the_offer(conn: WriteConnection) -> None:
    shop, device = make_due(conn)
    run_job(conn, DUE)
    replace_part(conn, current_part(conn, device), DUE + DAY)
    assert run_job(conn, DUE + DAY).withdrawn == 1
    assert offers_of(conn, shop.customer.customer_id)[0].state is OfferState.WITHDRAWN
