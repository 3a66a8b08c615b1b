"""The air cleaner against a real platform: what it measures arrives, whatever happens on the way."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from aircleaner import AirCleaner

from millpond.testing import Customer, Device, Fleet, Millpond, Staff


@pytest.fixture
def registered(fleet: Fleet, request: pytest.FixtureRequest) -> Device:
    """The platform's view of our device, a model whose one filter tells a percentage; the customer owns it."""
    return fleet.register(f"CLEANER-{request.node.name.upper()[:40]}", "generic-purifier-pct")


@pytest.fixture
def cleaner(millpond: Millpond, registered: Device) -> Iterator[AirCleaner]:
    """Our device, switched on and connected."""
    device = AirCleaner(registered.serial, millpond.broker_url, boot="first")
    device.connect()
    yield device
    device.disconnect()


def test_what_it_measures_is_committed(millpond: Millpond, cleaner: AirCleaner, registered: Device) -> None:
    for minute in range(10):
        cleaner.measure(
            millpond.now + timedelta(seconds=minute), filter_life_pct=80, pm25_ugm3=10.5 + minute, power=True
        )
    cleaner.wait_until_safe()
    assert [reading.value for reading in registered.committed("pm25_ugm3")] == [10.5 + minute for minute in range(10)]
    assert registered.quarantined() == []


def test_it_survives_being_offline(millpond: Millpond, cleaner: AirCleaner, registered: Device) -> None:
    cleaner.measure(millpond.now, filter_life_pct=80)
    cleaner.wait_until_safe()
    cleaner.disconnect()
    for life in (79, 78, 77):
        cleaner.measure(millpond.advance(hours=8), filter_life_pct=life)
    assert [reading.value for reading in registered.committed()] == [80]
    cleaner.connect()
    cleaner.wait_until_safe()
    assert [reading.value for reading in registered.committed()] == [80, 79, 78, 77]


def test_it_survives_an_outage_of_the_broker(millpond: Millpond, cleaner: AirCleaner, registered: Device) -> None:
    cleaner.measure(millpond.now, filter_life_pct=80)
    cleaner.wait_until_safe()
    with millpond.broker_down():
        cleaner.measure(millpond.advance(hours=1), filter_life_pct=79)
        assert list(cleaner.outbox) == [2]
    cleaner.wait_until_safe()
    assert [reading.value for reading in registered.committed()] == [80, 79]


def test_a_wrong_value_costs_only_itself(millpond: Millpond, cleaner: AirCleaner, registered: Device) -> None:
    cleaner.measure(millpond.now, filter_life_pct=180, pm25_ugm3=12)
    cleaner.wait_until_safe()
    assert [(reading.metric, reading.value) for reading in registered.committed()] == [("pm25_ugm3", 12)]
    [refused] = registered.quarantined()
    assert refused.item == "1/filter_life_pct"


def test_its_owner_gets_an_offer_before_the_filter_is_worn(
    millpond: Millpond, fleet: Fleet, cleaner: AirCleaner, customer: Customer, staff: Staff
) -> None:
    neighbour = fleet.start("reed-vac-s", history_days=30)
    life, offers = 100, []
    while not offers:
        life -= 2
        assert life > 10, "the filter was worn before there was an offer"
        cleaner.measure(millpond.advance(days=2), filter_life_pct=life, power=True)
        cleaner.wait_until_safe()
        if life < 30:
            millpond.run_forecasts(forecaster="fixed")
            millpond.issue_offers()
            offers = [offer for offer in customer.offers() if offer["reason"]["code"] == "depletion"]
    assert offers[0]["credited_to"]["staff_id"] == staff.id
    assert customer.accept(offers[0]["offer_id"])["order"]["credited_to"] == staff.id
    assert neighbour.committed() == neighbour.measured()
