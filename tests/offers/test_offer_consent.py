"""Nothing is offered, and no open offer shown, for a purpose that the customer does not agree to."""

from datetime import timedelta

import pytest

from customers.consent import record_consent
from customers.nouns import Purpose
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import NotFound
from millpond.kernel.ids import CustomerId
from offers.explain import explain_decision
from offers.life import mark_seen
from offers.nouns import GateName, OfferState, ReasonCode
from offers.showing import show_open_offers
from offers.store import select_decisions
from tests.household import DAY, LEAD, current_part, forecast, make_device, offers_of, run_job, steps_of
from tests.people import AT, make_shop

HOUR = timedelta(hours=1)
REASONS = {
    Purpose.DEVICE_PROFILING: {ReasonCode.DEPLETION},
    Purpose.PERSONALISATION: {ReasonCode.DEPLETION, ReasonCode.FITS_NEW_DEVICE},
    Purpose.MARKETING_APP: {ReasonCode.DEPLETION, ReasonCode.FITS_NEW_DEVICE},
}


def say(conn: WriteConnection, customer_id: CustomerId, purpose: Purpose, given: bool, *, hours: int) -> None:
    record_consent(
        conn,
        customer_id,
        purpose,
        version=1,
        given=given,
        at=AT + hours * HOUR,
        source="app",
        evidence={"screen": "me"},
    )


def make_household(conn: WriteConnection) -> CustomerId:
    """A customer with a part that is due and a television that is new, at AT."""
    customer_id = make_shop(conn).customer.customer_id
    purifier = make_device(conn, "AIR-1", "reed-air-2", customer_id, AT - 200 * DAY)
    forecast(conn, current_part(conn, purifier), AT + LEAD.total - DAY, at=AT - DAY)
    make_device(conn, "TV-55", "reed-tv-55", customer_id, AT - DAY)
    return customer_id


@pytest.mark.parametrize("purpose", REASONS)
def test_what_needs_a_purpose_that_is_not_agreed_to_is_not_offered(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_household(conn)
    say(conn, customer_id, purpose, False, hours=-1)
    run_job(conn, AT)
    refused = REASONS[purpose]
    assert {offer.reason_code for offer in offers_of(conn, customer_id)} == set(ReasonCode) - refused
    noes = [decision for decision in select_decisions(conn, customer_id=customer_id) if decision.failed_gate]
    assert {decision.failed_gate for decision in noes} == {GateName.CONSENTED}
    assert len({decision.trigger for decision in noes}) == len(refused)
    assert "you asked us not to make offers of this kind" in explain_decision(noes[0], locale="en")
    say(conn, customer_id, purpose, True, hours=1)
    run_job(conn, AT + 2 * HOUR)
    assert {offer.reason_code for offer in offers_of(conn, customer_id)} == set(ReasonCode)


@pytest.mark.parametrize("purpose", REASONS)
def test_an_open_offer_is_shown_only_while_all_it_needs_is_agreed_to(conn: WriteConnection, purpose: Purpose) -> None:
    customer_id = make_household(conn)
    run_job(conn, AT)
    all_shown = show_open_offers(conn, customer_id, at=AT + HOUR)
    assert {each.offer.reason_code for each in all_shown} == set(ReasonCode)
    say(conn, customer_id, purpose, False, hours=1)
    shown = show_open_offers(conn, customer_id, at=AT + HOUR)
    assert {each.offer.reason_code for each in shown} == set(ReasonCode) - REASONS[purpose]
    say(conn, customer_id, purpose, True, hours=2)
    assert show_open_offers(conn, customer_id, at=AT + 2 * HOUR) == all_shown


@pytest.mark.parametrize("purpose", REASONS)
def test_who_looks_at_an_offer_again_sees_it_only_while_all_it_needs_is_agreed_to(
    conn: WriteConnection, purpose: Purpose
) -> None:
    customer_id = make_household(conn)
    run_job(conn, AT)
    say(conn, customer_id, purpose, False, hours=1)
    for offer in offers_of(conn, customer_id):
        if offer.reason_code in REASONS[purpose]:
            with pytest.raises(NotFound):
                mark_seen(conn, offer.offer_id, customer_id=customer_id, at=AT + HOUR)
        else:
            mark_seen(conn, offer.offer_id, customer_id=customer_id, at=AT + HOUR)
    states = {offer.reason_code: offer.state for offer in offers_of(conn, customer_id)}
    assert {reason for reason, state in states.items() if state is OfferState.OPEN} == REASONS[purpose]


@pytest.mark.parametrize("hours", [-1, 1], ids=["told late", "told at once"])
@pytest.mark.parametrize("purpose", REASONS)
def test_a_consent_that_is_withdrawn_takes_back_what_it_was_needed_for(
    conn: WriteConnection, purpose: Purpose, hours: int
) -> None:
    customer_id = make_household(conn)
    run_job(conn, AT)
    say(conn, customer_id, purpose, False, hours=hours)
    summary = run_job(conn, AT + 2 * HOUR)
    gone = [offer for offer in offers_of(conn, customer_id) if offer.state is OfferState.WITHDRAWN]
    assert {offer.reason_code for offer in gone} == REASONS[purpose]
    assert (summary.withdrawn, summary.issued) == (len(gone), 0)
    assert {steps_of(conn, offer.offer_id)[-1] for offer in gone} == {("withdrawn", "job", "consent_withdrawn")}


def test_a_purpose_that_no_offer_needs_stands_against_none(conn: WriteConnection) -> None:
    customer_id = make_household(conn)
    for purpose in set(Purpose) - set(REASONS):
        say(conn, customer_id, purpose, False, hours=-1)
    run_job(conn, AT)
    assert {each.offer.reason_code for each in show_open_offers(conn, customer_id, at=AT)} == set(ReasonCode)


def test_a_new_version_that_needs_a_yes_takes_back_what_it_was_needed_for(conn: WriteConnection) -> None:
    customer_id = make_household(conn)
    run_job(conn, AT)
    conn.execute(
        "insert into purpose (purpose, version, basis, words, valid_from)"
        " select purpose, 2, 'consent', words, %s from purpose where purpose = 'marketing_app'",
        [AT + HOUR],
    )
    assert run_job(conn, AT + 2 * HOUR).withdrawn == 3
    assert show_open_offers(conn, customer_id, at=AT + 2 * HOUR) == []
