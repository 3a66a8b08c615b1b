"""The fixtures that Millpond gives to other people's test suites, used as those people use them."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from millpond.testing import ApiError, Customer, Device, Fleet, Millpond, PlatformError, Reading, Staff


def test_a_platform_runs_and_is_ready(millpond: Millpond) -> None:
    with urllib.request.urlopen(f"{millpond.address}/readyz") as answer:
        assert answer.status == 200


def test_what_a_device_measures_is_committed_value_by_value(fleet: Fleet) -> None:
    device = fleet.start("reed-air-2", history_days=5)
    fleet.advance(days=2)
    assert len({reading.at for reading in device.measured()}) == 7 * 8
    assert device.committed() == device.measured()


def test_time_stands_still_until_it_is_advanced(millpond: Millpond, fleet: Fleet) -> None:
    before = millpond.now
    device = fleet.start()
    assert millpond.now == before
    assert device.measured() == []
    assert fleet.advance(hours=36) == before + timedelta(hours=36) == millpond.now
    with pytest.raises(PlatformError, match="time does not go back"):
        millpond.advance(to=before)


def test_a_device_that_was_offline_brings_everything_later(fleet: Fleet) -> None:
    device, other = fleet.start(), fleet.start("reed-vac-s")
    device.go_offline()
    fleet.advance(days=3)
    assert device.committed() == []
    assert other.committed() == other.measured() != []
    device.go_online()
    assert device.committed() == device.measured() != []


def test_a_restarted_device_has_lost_nothing(fleet: Fleet) -> None:
    device = fleet.start()
    fleet.advance(days=1)
    device.go_offline()
    fleet.advance(days=1)
    device.restart()
    fleet.advance(days=1)
    assert len({reading.at for reading in device.measured()}) == 3 * 8
    assert device.committed() == device.measured()


def test_faults_cost_no_reading_and_are_seen(millpond: Millpond, fleet: Fleet) -> None:
    before = millpond.outcomes()
    device = fleet.start(faults={"duplicates": 1.0})
    fleet.advance(days=1)
    duplicates = len(device.measured())
    millpond.wait_until(lambda: millpond.outcomes().duplicate - before.duplicate == duplicates)
    device.inject(malformed=1.0)
    fleet.advance(days=1)
    millpond.wait_until(lambda: len(device.quarantined()) == 8)
    assert device.committed() == device.measured()
    device.inject(reordering=0.5)
    fleet.advance(days=1)
    assert device.committed() == device.measured()
    device.inject()
    assert {refused.code for refused in device.quarantined()} == {"malformed"}
    assert len(device.quarantined()) == 8


def test_a_device_whose_clock_is_wrong_gets_the_platforms_time(fleet: Fleet) -> None:
    device = fleet.start(faults={"clock_1970": 1})
    tomorrow = fleet.advance(days=1)
    assert {reading.at.year for reading in device.measured()} == {1970}
    assert [reading.value for reading in device.committed("pm25_ugm3")] == [
        reading.value for reading in device.measured("pm25_ugm3")
    ]
    assert all(reading.corrected for reading in device.committed())
    assert abs(device.committed()[-1].at - tomorrow) < timedelta(seconds=1)
    device.inject()
    fleet.advance(days=1)
    assert device.committed()[-1] == device.measured()[-1]
    assert not device.committed()[-1].corrected


def test_a_device_that_restarts_all_the_time_loses_nothing(fleet: Fleet) -> None:
    device = fleet.start(faults={"boot_loops": 1, "offline": 1, "chatty": 1})
    fleet.advance(days=2)
    device.inject()
    fleet.wait_committed()
    assert len({reading.at for reading in device.measured()}) > 200
    assert device.committed() == device.measured()


def test_an_outage_of_the_broker_loses_nothing(millpond: Millpond, fleet: Fleet) -> None:
    device = fleet.start()
    with millpond.broker_down():
        fleet.advance(days=2)
        assert device.committed() == []
    fleet.wait_committed()
    assert device.committed() == device.measured() != []


def test_the_customer_gets_an_offer_in_time_and_the_staff_member_the_credit(
    millpond: Millpond, fleet: Fleet, customer: Customer, staff: Staff
) -> None:
    device = fleet.start("reed-air-2", installed_days_ago=45, history_days=30, habit="on_time")
    worn_at = next(part.threshold_at for part in device.parts() if part.threshold_at)
    fleet.advance(to=worn_at - timedelta(days=14))
    while not customer.offers():
        assert fleet.advance(days=1) < worn_at, "the filter was worn before there was an offer"
        millpond.run_forecasts(forecaster="fixed")
        millpond.issue_offers()
    offer = customer.offer()
    assert offer["credited_to"]["staff_id"] == staff.id
    order = customer.accept(offer["offer_id"])["order"]
    assert order["credited_to"] == staff.id
    assert [line["order_id"] for line in staff.statement()["lines"]] == [order["order_id"]]


def test_people_are_fresh_and_do_not_see_each_other(
    millpond: Millpond, fleet: Fleet, customer: Customer, staff: Staff
) -> None:
    device = fleet.start()
    stranger = millpond.new_customer()
    assert customer.get(f"/v1/devices/{device.serial}")["customer_id"] == customer.id
    assert millpond.operator.get(f"/v1/customers/{customer.id}/binding")["staff_id"] == staff.id
    with pytest.raises(ApiError) as refused:
        stranger.get(f"/v1/devices/{device.serial}")
    assert refused.value.status == 404
    with pytest.raises(ApiError) as unbound:
        millpond.operator.get(f"/v1/customers/{stranger.id}/binding")
    assert unbound.value.status == 404


def test_a_device_of_ones_own_is_waited_for(millpond: Millpond, fleet: Fleet) -> None:
    thermo = fleet.register("THERMO-1", "generic-purifier-pct")
    with connected(millpond) as client:
        for life in (64, 63):
            client.publish(
                f"millpond/v1/{thermo.serial}/telemetry", json.dumps({"metrics": {"filter_life_pct": life}}), 1
            )
        client.publish(f"millpond/v1/{thermo.serial}/telemetry", b"{", 1)
        assert [reading.value for reading in thermo.wait_for(readings=2)] == [64, 63]
        millpond.wait_until(thermo.quarantined)
    assert thermo.committed("power") == []


def test_readings_that_come_with_a_refusal_while_somebody_looks_are_not_overlooked(
    millpond: Millpond, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    thermo = fleet.register("THERMO-4", "generic-purifier-pct")
    look, looks = thermo.committed, 0

    def committed() -> list[Reading]:
        """The first look ends when all has come, and still tells what was there before."""
        nonlocal looks
        looks += 1
        found = look()
        if looks == 1:
            client.publish(topic, json.dumps({"metrics": {"filter_life_pct": 64}}), 1)
            client.publish(topic, b"{", 1)
            millpond.wait_until(lambda: millpond.channel.host.quarantined(serial=thermo.serial))
        return found

    topic = f"millpond/v1/{thermo.serial}/telemetry"
    monkeypatch.setattr(thermo, "committed", committed)
    with connected(millpond) as client:
        assert [reading.value for reading in thermo.wait_for(readings=1)] == [64]


def test_what_is_refused_is_told_at_once_with_its_reason(millpond: Millpond, fleet: Fleet) -> None:
    thermo = fleet.register("THERMO-2", "generic-purifier-pct")
    topic = f"millpond/v1/{thermo.serial}/telemetry"
    with connected(millpond) as client:
        client.publish(topic, json.dumps({"metrics": {"filter_live_pct": 64}}), 1)
        # So long that the test would be ended before: the reason comes first, or not at all.
        with pytest.raises(PlatformError, match=r"THERMO-2 \(unknown_metric\).*has no metric 'filter_live_pct'"):
            thermo.wait_for(readings=1, timeout_s=600)
        client.publish(topic, json.dumps({"metrics": {"filter_life_pct": 64}}), 1)
        assert [reading.value for reading in thermo.wait_for(readings=1)] == [64], "what was told is not told again"
        client.publish(topic, b"{", 1)
        client.publish(topic, json.dumps({"metrics": {"filter_life_pct": 63}}), 1)
        assert len(thermo.wait_for(readings=2, despite_refusals=True)) == 2


def test_a_wait_that_ends_in_vain_says_what_was_refused_meanwhile(millpond: Millpond, fleet: Fleet) -> None:
    thermo = fleet.register("THERMO-3", "generic-purifier-pct")
    with connected(millpond) as client:

        def publish_and_see() -> bool:
            client.publish(f"millpond/v1/{thermo.serial}/telemetry", b"{", 1)
            millpond.wait_until(thermo.quarantined)
            return False

        with pytest.raises(PlatformError, match="an item was refused meanwhile, the last of THERMO-3: "):
            millpond.wait_until(publish_and_see, timeout_s=0)


def test_without_an_offer_there_is_a_reason(millpond: Millpond, fleet: Fleet, customer: Customer) -> None:
    assert customer.offers() == []
    assert "nothing was decided" in customer.offers().why_none
    device = fleet.start("reed-air-2", installed_days_ago=45, history_days=30, habit="on_time")
    worn_at = next(part.threshold_at for part in device.parts() if part.threshold_at)
    fleet.advance(to=worn_at - timedelta(days=20))
    millpond.run_forecasts(forecaster="fixed")
    millpond.issue_offers()
    with pytest.raises(
        PlatformError, match=f"has no offer: {device.serial}, REED-HEPA-H13: due on .* days of delivery"
    ):
        customer.offer()
    assert repr(customer.offers()).startswith(f"[] (no offer: {device.serial}, REED-HEPA-H13: due on ")


def test_what_does_not_exist_is_one_sentence(millpond: Millpond, fleet: Fleet) -> None:
    with pytest.raises(PlatformError, match="model 'toaster' has no profile: choose from"):
        fleet.start("toaster")
    with pytest.raises(PlatformError, match="fault 'fire' is not known"):
        fleet.start(faults={"fire": 1})
    with pytest.raises(PlatformError, match="behaviour 'mood' is not known"):
        fleet.start(mood="good")
    with pytest.raises(PlatformError, match="did not come true"):
        millpond.wait_until(lambda: False, timeout_s=0)


def test_a_device_that_is_off_is_not_moved_any_more(fleet: Fleet, millpond: Millpond, customer: Customer) -> None:
    first = Fleet(millpond, customer, seed=fleet.seed + 1)
    device: Device = first.start()
    first.close()
    fleet.advance(days=1)
    assert device.committed() == []


@contextmanager
def connected(millpond: Millpond) -> Iterator[mqtt.Client]:
    ready = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: ready.set()
    host, _, port = millpond.broker_url.removeprefix("mqtt://").partition(":")
    client.connect(host, int(port))
    client.loop_start()
    assert ready.wait(10)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
