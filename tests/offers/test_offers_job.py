"""The offers job: what is due is offered once, and every no has its reason."""

from datetime import UTC, datetime, timedelta

import pytest

from attribution.nouns import Channel, OrderItem
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.jobs import claim_run
from millpond.kernel.money import Money
from offers.checkout import place_order
from offers.nouns import OfferState, ReasonCode
from offers.store import select_decision, select_decisions
from tests.household import DAY, current_part, forecast, make_device, offers_of, run_job, steps_of
from tests.offers.due import DUE, HEPA, LONG_AGO, P10, last_gate, make_due, make_purifier
from tests.people import make_customer, make_shop, scan_badge


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


def test_a_household_that_cannot_be_computed_is_logged_and_does_not_stop_the_others(
    conn: WriteConnection, caplog: pytest.LogCaptureFixture
) -> None:
    make_due(conn)
    shop = make_shop(conn)
    forecast(conn, current_part(conn, make_purifier(conn, shop, "AIR-2")), P10, at=DUE)
    conn.execute("update customer set time_zone = 'Nowhere/Land' where customer_id = %s", [shop.customer.customer_id])
    summary = run_job(conn, DUE)
    assert (summary.candidates, summary.issued, summary.failed) == (2, 1, 1)
    [record] = [record for record in caplog.records if getattr(record, "event", "") == "offer_failed"]
    assert record.__dict__["customer_id"] == shop.customer.customer_id
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
