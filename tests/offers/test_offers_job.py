"""The offers job: what is due is offered once, and every no has its reason."""

from datetime import UTC, datetime, timedelta

import pytest

from attribution.nouns import Channel, Order, OrderItem
from attribution.orders import refund_order
from devices.nouns import Device
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.ids import Sku
from millpond.kernel.jobs import claim_run
from millpond.kernel.money import Money
from offers.checkout import place_order
from offers.life import accept_offer
from offers.nouns import OfferState, ReasonCode
from offers.store import select_decision, select_decisions
from tests.household import (
    DAY,
    LEAD,
    current_part,
    forecast,
    make_device,
    offers_of,
    read_offer,
    replace_part,
    run_job,
    steps_of,
)
from tests.people import AT, Shop, make_customer, make_shop, scan_badge

LONG_AGO = AT - 200 * DAY
P10 = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
DUE = P10 - LEAD.total
HEPA = Sku("REED-HEPA-H13")


def make_purifier(conn: WriteConnection, shop: Shop, serial: str = "AIR-1") -> Device:
    return make_device(conn, serial, "reed-air-2", shop.customer.customer_id, LONG_AGO)


def make_due(conn: WriteConnection) -> tuple[Shop, Device]:
    shop = make_shop(conn)
    device = make_purifier(conn, shop)
    forecast(conn, current_part(conn, device), P10, at=DUE - DAY)
    return shop, device


def buy(conn: WriteConnection, shop: Shop, at: datetime, *, sku: Sku = HEPA, quantity: int = 1) -> Order:
    return place_order(
        conn,
        customer_id=shop.customer.customer_id,
        channel=Channel.STORE,
        store_id=shop.store.store_id,
        items=[OrderItem(sku, quantity)],
        currency="EUR",
        at=at,
    )


def last_gate(conn: WriteConnection, shop: Shop) -> tuple[str | None, str]:
    """The gate that stood against the newest decision, and why."""
    decision = select_decisions(conn, customer_id=shop.customer.customer_id)[0]
    why = next((gate.why for gate in decision.gates if gate.gate == decision.failed_gate), "")
    return decision.failed_gate, why


def test_an_offer_is_issued_when_p10_less_the_lead_time_has_come(conn: WriteConnection) -> None:
    shop, device = make_due(conn)
    binding = scan_badge(conn, shop.customer, shop.staff)
    assert run_job(conn, DUE - timedelta(seconds=1)).issued == 0
    assert last_gate(conn, shop) == ("due", "due on 2026-02-21: 3 days of delivery and 7 of margin before 2026-03-03")
    summary = run_job(conn, DUE)
    assert (summary.candidates, summary.issued, summary.credited, summary.failed) == (1, 1, 1, 0)
    [offer] = offers_of(conn, shop.customer.customer_id)
    assert (offer.sku, offer.reason_code, offer.state) == (HEPA, ReasonCode.DEPLETION, OfferState.OPEN)
    assert (offer.list_price, offer.price) == (Money(3990, "EUR"), Money(3591, "EUR"))
    assert (offer.credited_to, offer.binding_id) == (shop.staff.staff_id, binding.binding_id)
    assert offer.reply_by == datetime(2026, 2, 27, 15, 0, tzinfo=UTC)  # midnight in Seoul, three days before P10's day
    assert offer.facts["serial"] == device.serial
    assert [state for state, _, _ in steps_of(conn, offer.offer_id)] == [OfferState.OPEN]


def test_a_decision_leads_from_the_offer_to_every_rule(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    run_job(conn, DUE)
    [offer] = offers_of(conn, shop.customer.customer_id)
    decision = select_decision(conn, offer.decision_id)
    assert decision is not None
    assert decision.offer_id == offer.offer_id
    assert [(gate.gate, gate.passed) for gate in decision.gates] == [
        (name, True)
        for name in (
            "customer_known",
            "consented",
            "not_in_doubt",
            "forecast_good",
            "due",
            "not_replaced",
            "no_open_offer",
            "not_answered",
            "not_ordered",
            "compatible",
            "price_known",
        )
    ]
    assert decision.candidates[0]["depletion"]["p10"] == P10.isoformat()


def test_running_again_issues_nothing_and_writes_nothing(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    for hours in range(5):
        run_job(conn, DUE + timedelta(hours=hours))
    assert len(offers_of(conn, shop.customer.customer_id)) == 1
    assert len(select_decisions(conn, customer_id=shop.customer.customer_id)) == 1


def test_the_same_no_is_kept_once_and_another_reason_again(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    part = current_part(conn, make_purifier(conn, shop))
    forecast(conn, part, None, at=DUE - 3 * DAY)
    for hours in range(3):
        run_job(conn, DUE - 2 * DAY + timedelta(hours=hours))
    forecast(conn, part, P10, at=DUE - DAY)
    run_job(conn, DUE - DAY)
    run_job(conn, DUE)
    decisions = select_decisions(conn, customer_id=shop.customer.customer_id)
    assert [d.failed_gate for d in decisions] == [None, "due", "forecast_good"]


def test_an_issued_offer_stays_when_the_forecast_moves_away(conn: WriteConnection) -> None:
    shop, device = make_due(conn)
    run_job(conn, DUE)
    forecast(conn, current_part(conn, device), P10 + 30 * DAY, at=DUE + DAY)
    summary = run_job(conn, DUE + DAY)
    assert (summary.issued, summary.withdrawn) == (0, 0)
    assert offers_of(conn, shop.customer.customer_id)[0].state is OfferState.OPEN


def test_only_the_newest_forecast_counts_and_none_from_the_future(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    part = current_part(conn, make_purifier(conn, shop))
    forecast(conn, part, P10, at=DUE - 2 * DAY)
    forecast(conn, part, P10 + 10 * DAY, at=DUE - DAY)
    forecast(conn, part, P10, at=DUE + DAY)
    assert run_job(conn, DUE).issued == 0
    assert run_job(conn, DUE + DAY).issued == 1


def test_a_device_that_belongs_to_nobody_is_decided_against(conn: WriteConnection) -> None:
    device = make_device(conn, "AIR-9", "reed-air-2", None, LONG_AGO)
    forecast(conn, current_part(conn, device), P10, at=DUE)
    assert run_job(conn, DUE).not_issued == 1
    [decision] = select_decisions(conn)
    assert (decision.failed_gate, decision.customer_id) == ("customer_known", None)


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


def test_a_new_tv_brings_what_fits_it_and_the_other_tv_does_not(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    customer_id = shop.customer.customer_id
    make_device(conn, "TV-55", "reed-tv-55", customer_id, AT)
    other = make_shop(conn)
    make_device(conn, "TV-43", "reed-tv-43", other.customer.customer_id, AT)
    assert run_job(conn, AT + DAY).issued == 2
    offers = offers_of(conn, customer_id)
    assert {o.sku for o in offers} == {"REED-SOUNDBAR-3", "REED-GLOW-STRIP-55"}
    assert {o.reason_code for o in offers} == {ReasonCode.FITS_NEW_DEVICE}
    assert offers_of(conn, other.customer.customer_id) == []
    denied = select_decisions(conn, customer_id=other.customer.customer_id)
    whys = {d.sku: next(g.why for g in d.gates if g.gate == d.failed_gate) for d in denied}
    assert whys[Sku("REED-SOUNDBAR-3")] == "it does not fit: the TV has no HDMI eARC"
    assert {d.failed_gate for d in denied} == {"compatible"}


def test_a_tv_is_new_for_thirty_days(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    assert run_job(conn, AT + 30 * DAY).candidates == 0
    assert run_job(conn, AT + 29 * DAY).issued == 2


def test_nothing_is_offered_to_a_household_that_has_it(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    buy(conn, shop, AT, sku=Sku("REED-SOUNDBAR-3"))
    run_job(conn, AT + DAY)
    assert [o.sku for o in offers_of(conn, shop.customer.customer_id)] == ["REED-GLOW-STRIP-55"]
    buy(conn, shop, AT + DAY, sku=Sku("REED-GLOW-STRIP-55"))
    assert [o.state for o in offers_of(conn, shop.customer.customer_id)] == [OfferState.WITHDRAWN]


def test_an_extra_that_was_not_wanted_is_not_offered_again(conn: WriteConnection) -> None:
    shop = make_shop(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, AT)
    run_job(conn, AT)
    assert run_job(conn, AT + 20 * DAY).expired == 2
    assert run_job(conn, AT + 29 * DAY).issued == 0


def test_a_reply_that_would_come_too_late_says_so(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    run_job(conn, P10)
    [offer] = offers_of(conn, shop.customer.customer_id)
    assert offer.facts["in_time"] is False
    assert offer.reply_by == datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def test_one_candidate_that_fails_does_not_stop_the_others(conn: WriteConnection) -> None:
    make_due(conn)
    shop = make_shop(conn)
    forecast(conn, current_part(conn, make_purifier(conn, shop, "AIR-2")), P10, at=DUE)
    conn.execute(
        "create function refuse_one() returns trigger language plpgsql as $$ begin"
        " raise exception 'no' using errcode = 'check_violation'; end $$"
    )
    conn.execute(
        "create trigger refuse before insert on offer for each row"
        f" when (new.customer_id = '{shop.customer.customer_id}') execute function refuse_one()"
    )
    summary = run_job(conn, DUE)
    assert (summary.issued, summary.failed) == (1, 1)
    assert select_decisions(conn, customer_id=shop.customer.customer_id) == []


def test_progress_is_told(conn: WriteConnection) -> None:
    make_due(conn)
    heard: list[tuple[int, int]] = []
    run_job(conn, DUE, on_progress=lambda done, of: heard.append((done, of)))
    assert heard == [(1, 1)]


def test_a_run_that_lost_its_lease_issues_nothing(database: str) -> None:
    with connect(database) as conn:
        shop, _ = make_due(conn)
        old = claim_run(conn, "offers", DUE, holder="a", at=DUE, lease=timedelta(0))
        assert claim_run(conn, "offers", DUE, holder="b", at=DUE) is not None
        with pytest.raises(LeaseLost):
            run_job(conn, DUE, claim=old)
        assert offers_of(conn, shop.customer.customer_id) == []


def test_customers_of_others_are_left_alone(conn: WriteConnection) -> None:
    shop, _ = make_due(conn)
    stranger = make_customer(conn)
    run_job(conn, DUE)
    place_order(
        conn, customer_id=stranger.customer_id, channel=Channel.APP, items=[OrderItem(HEPA)], currency="EUR", at=DUE
    )
    assert run_job(conn, DUE + DAY).withdrawn == 0
    assert offers_of(conn, shop.customer.customer_id)[0].state is OfferState.OPEN
