"""An offer is answered once, by whom it was made to, in time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest

from attribution.bindings import transfer_binding
from attribution.ledger import select_balances
from attribution.ledger_nouns import AccountKind
from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale, select_orders
from attribution.statements.totals import ledger_balance
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import CustomerId, Sku
from millpond.kernel.money import Money
from offers.checkout import place_order
from offers.life import accept_offer, decline_offer, mark_seen
from offers.nouns import Acceptance, Offer, OfferState, OfferSummary
from offers.showing import show_open_offers
from offers.store import select_offer_counts
from offers.writes import expire_offers
from tests.household import DAY, LEAD, current_part, forecast, make_device, offers_of, read_offer, run_job, steps_of
from tests.people import AT, Shop, make_customer, make_shop, scan_badge
from tests.races import race

P10 = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
DUE = P10 - LEAD.total


def make_offer(conn: WriteConnection, *, serial: str = "AIR-1") -> tuple[Shop, Offer]:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    device = make_device(conn, serial, "reed-air-2", shop.customer.customer_id, AT - 200 * DAY)
    forecast(conn, current_part(conn, device), P10, at=DUE)
    run_job(conn, DUE)
    [offer] = offers_of(conn, shop.customer.customer_id)
    return shop, offer


def accept(conn: WriteConnection, offer: Offer, at: datetime = DUE + DAY) -> Acceptance:
    return accept_offer(conn, offer.offer_id, customer_id=offer.customer_id, at=at)


def states(conn: WriteConnection, offer: Offer) -> list[str]:
    return [state for state, _, _ in steps_of(conn, offer.offer_id)]


def test_an_accepted_offer_becomes_an_order_at_its_price_and_earns_commission(conn: WriteConnection) -> None:
    shop, offer = make_offer(conn)
    mark_seen(conn, offer.offer_id, customer_id=offer.customer_id, at=DUE)
    acceptance = accept(conn, offer)
    order = acceptance.order
    assert acceptance.offer.state is OfferState.ORDERED
    assert (order.offer_id, order.amount, order.credited_to) == (offer.offer_id, offer.price, shop.staff.staff_id)
    assert states(conn, offer) == ["open", "seen", "accepted", "ordered"]
    assert select_balances(conn, shop.staff.staff_id)[AccountKind.PENDING, "EUR"] == Money(108, "EUR")
    conn.execute("set constraints all immediate")
    assert ledger_balance(conn) == 0


def test_the_order_is_credited_to_who_is_bound_when_it_is_placed(conn: WriteConnection) -> None:
    shop, offer = make_offer(conn)
    assert offer.binding_id is not None
    transfer_binding(conn, offer.binding_id, to_staff_id=shop.colleague.staff_id, at=DUE)
    assert offer.credited_to == shop.staff.staff_id
    assert accept(conn, offer, DUE + DAY).order.credited_to == shop.colleague.staff_id


def test_an_offer_is_accepted_once(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    accept(conn, offer)
    with pytest.raises(Conflict, match="this offer was already ordered"):
        accept(conn, offer)
    assert len(select_orders(conn, customer_id=offer.customer_id)) == 1


def test_the_schema_itself_refuses_a_second_order_of_an_offer(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    accept(conn, offer)
    with pytest.raises(Conflict, match="this offer has already been ordered"):
        record_sale(
            conn,
            customer_id=offer.customer_id,
            channel=Channel.APP,
            items=[OrderItem(offer.sku, 1, offer.price)],
            currency="EUR",
            offer_id=offer.offer_id,
            at=DUE + DAY,
        )
    with pytest.raises(psycopg.errors.UniqueViolation, match="offer_event_once"):
        conn.execute("insert into offer_event values (%s, 'accepted', %s, 'x')", [offer.offer_id, DUE])


def test_the_schema_itself_refuses_a_second_open_offer_for_a_part(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_open_offer_per"):
        conn.execute(
            """with d as (insert into decision select (jsonb_populate_record(d, '{"decision_id": "dec_x"}')).*"""
            """  from decision d where decision_id = %s) """
            """insert into offer select (jsonb_populate_record(o, '{"offer_id": "off_x", "decision_id": "dec_x"}')).*"""
            """  from offer o where offer_id = %s""",
            [offer.decision_id, offer.offer_id],
        )


def test_another_customers_offer_is_not_found(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    stranger = make_customer(conn).customer_id
    for answer in (accept_offer, decline_offer, mark_seen):
        with pytest.raises(NotFound, match=f"offer {offer.offer_id} is not known"):
            answer(conn, offer.offer_id, customer_id=stranger, at=DUE)
    with pytest.raises(NotFound, match="offer off_x is not known"):
        accept_offer(conn, "off_x", customer_id=offer.customer_id, at=DUE)


def test_an_offer_can_be_accepted_until_its_time_has_passed(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    with pytest.raises(Conflict, match="this offer has expired"):
        accept(conn, offer, offer.valid_until)
    assert accept(conn, offer, offer.valid_until - timedelta(microseconds=1)).order.amount == offer.price


def test_an_offer_expires_by_itself(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    assert expire_offers(conn, offer.valid_until - timedelta(microseconds=1)) == 0
    assert expire_offers(conn, offer.valid_until) == 1
    assert expire_offers(conn, offer.valid_until) == 0
    assert states(conn, offer) == ["open", "expired"]
    with pytest.raises(Conflict, match="this offer was already expired"):
        accept(conn, offer, DUE)


def test_a_declined_offer_stays_declined(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    declined = decline_offer(conn, offer.offer_id, customer_id=offer.customer_id, at=DUE)
    assert declined.state is OfferState.DECLINED
    with pytest.raises(Conflict, match="this offer was already declined"):
        accept(conn, offer)


def test_seeing_is_kept_once_and_never_brings_an_offer_back(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    seen = [mark_seen(conn, offer.offer_id, customer_id=offer.customer_id, at=DUE).state for _ in range(2)]
    assert seen == [OfferState.SEEN, OfferState.SEEN]
    decline_offer(conn, offer.offer_id, customer_id=offer.customer_id, at=DUE)
    state = mark_seen(conn, offer.offer_id, customer_id=offer.customer_id, at=DUE).state
    assert state is OfferState.DECLINED
    assert states(conn, offer) == ["open", "seen", "declined"]


def test_only_offers_that_can_be_accepted_are_shown_as_open(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    assert [each.offer for each in show_open_offers(conn, offer.customer_id, at=DUE)] == [offer]
    assert show_open_offers(conn, offer.customer_id, at=offer.valid_until) == []


def test_offers_are_counted_by_state(conn: WriteConnection) -> None:
    shop, _ = make_offer(conn)
    make_device(conn, "TV-55", "reed-tv-55", shop.customer.customer_id, DUE)
    run_job(conn, DUE + DAY)
    counts = select_offer_counts(conn)
    assert counts == dict.fromkeys(OfferState, 0) | {OfferState.OPEN: 3}


def test_one_offer_accepted_by_many_taps_at_once_is_one_order(database: str) -> None:
    with connect(database) as conn:
        _, offer = make_offer(conn)
        answers = race(database, [lambda own: accept(own, offer)] * 12)
        assert sum(isinstance(a, Acceptance) for a in answers) == 1
        assert sum(isinstance(a, Conflict) for a in answers) == 11
        assert len(select_orders(conn, customer_id=offer.customer_id)) == 1
        assert ledger_balance(conn) == 0


def test_accepting_and_declining_at_once_is_one_answer(database: str) -> None:
    with connect(database) as conn:
        _, offer = make_offer(conn)
        tries: list[Callable[[WriteConnection], object]] = [
            lambda own: accept(own, offer),
            lambda own: decline_offer(own, offer.offer_id, customer_id=offer.customer_id, at=DUE),
        ] * 4
        answers = race(database, tries)
        assert sum(not isinstance(a, Conflict) for a in answers) == 1
        assert len(select_orders(conn, customer_id=offer.customer_id)) == (states(conn, offer)[-1] == "ordered")


def test_two_jobs_at_once_issue_one_offer(database: str) -> None:
    with connect(database) as conn:
        shop = make_shop(conn)
        device = make_device(conn, "AIR-1", "reed-air-2", shop.customer.customer_id, AT - 200 * DAY)
        forecast(conn, current_part(conn, device), P10, at=DUE)
        answers = race(database, [lambda own: run_job(own, DUE)] * 6)
        summaries = [answer for answer in answers if isinstance(answer, OfferSummary)]
        assert len(summaries) == 6
        assert sum(s.issued for s in summaries) == 1
        assert sum(s.failed for s in summaries) == 0
        assert len(offers_of(conn, shop.customer.customer_id)) == 1


def test_a_sale_and_the_job_at_once_leave_no_offer_of_what_was_bought(database: str) -> None:
    with connect(database) as conn:
        for number in range(6):
            shop = make_shop(conn)
            customer_id = shop.customer.customer_id
            device = make_device(conn, f"AIR-{number}", "reed-air-2", customer_id, AT - 200 * DAY)
            forecast(conn, current_part(conn, device), P10, at=DUE)

            def sell(own: WriteConnection, customer_id: CustomerId = customer_id) -> object:
                items = [OrderItem(Sku("REED-HEPA-H13"))]
                return place_order(
                    own, customer_id=customer_id, channel=Channel.WEB, items=items, currency="EUR", at=DUE
                )

            tries: list[Callable[[WriteConnection], object]] = [lambda own: run_job(own, DUE), sell]
            race(database, tries)
            assert show_open_offers(conn, customer_id, at=DUE) == []


def test_accepting_and_a_sale_at_once_never_wait_for_each_other_in_a_circle(database: str) -> None:
    with connect(database) as conn:
        for number in range(8):
            _, offer = make_offer(conn, serial=f"AIR-{number}")

            def sell(own: WriteConnection, offer: Offer = offer) -> object:
                items = [OrderItem(offer.sku)]
                return place_order(
                    own, customer_id=offer.customer_id, channel=Channel.WEB, items=items, currency="EUR", at=DUE
                )

            tries: list[Callable[[WriteConnection], object]] = [partial(accept, offer=offer), sell]
            answers = race(database, tries * 2)
            accepted = sum(isinstance(a, Acceptance) for a in answers)
            assert accepted + sum(isinstance(a, Conflict) for a in answers) == 2
            assert states(conn, offer)[-1] == ("ordered" if accepted else "withdrawn")


def test_an_order_that_fails_leaves_the_offer_open(conn: WriteConnection) -> None:
    _, offer = make_offer(conn)
    conn.execute("update offer set currency = 'KRW' where offer_id = %s", [offer.offer_id])
    conn.execute("alter table customer_order add constraint no_won check (currency <> 'KRW')")
    with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
        accept(conn, offer)
    assert read_offer(conn, offer.offer_id).state is OfferState.OPEN
    assert states(conn, offer) == ["open"]
