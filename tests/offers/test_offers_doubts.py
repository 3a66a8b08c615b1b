"""Readings that cannot be right lead to a forecast that says so, and to no offer."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from attribution.nouns import Channel, OrderItem
from devices.nouns import Device
from devices.registry import register_device
from devices.store import select_model_parts
from forecasting.job import forecast_active
from forecasting.nouns import CurrentForecast
from forecasting.store import select_current_forecasts
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku
from offers.checkout import place_order
from offers.life import accept_offer
from offers.nouns import OfferState
from offers.store import select_decisions, select_facts
from offers.verdict import Thing
from tests.forecasting.fleet_in_database import DAY, add_readings
from tests.household import current_part, forecast, offers_of, run_job, steps_of
from tests.people import AT, Shop, make_shop

HOURS_MODEL, PCT_MODEL, WATER_MODEL = "generic-purifier-hours", "generic-purifier-pct", "reed-water-1"
HOUR = timedelta(hours=1)
START = AT - 40 * DAY
NOW = AT - HOUR

Values = Sequence[float]


def live(conn: WriteConnection, model: str, said: dict[str, Values], *, step: timedelta = DAY) -> tuple[Shop, Device]:
    """A customer's device of which the newest values were read an hour ago, one a `step`."""
    shop = make_shop(conn)
    device = register_device(
        conn, serial="X", model=model, customer_id=shop.customer.customer_id, installed_at=START - DAY, at=START
    )
    for metric, values in said.items():
        add_readings(conn, device, metric, values, NOW - (len(values) - 1) * step, step=step)
    return shop, device


def forecast_and_offer(conn: WriteConnection, device: Device) -> CurrentForecast:
    forecast_active(conn, AT, made_at=AT, forecaster="fixed")
    run_job(conn, AT)
    [found] = select_current_forecasts(conn, [device.device_id], AT)
    return found


DAYS = range(40)
DOUBTFUL: dict[str, tuple[str, dict[str, Values], str]] = {
    "a counter at 65535 all the time beside 100 %": (
        HOURS_MODEL,
        {"filter_used_h": [65_535] * 40, "filter_life_pct": [100] * 40},
        "means_no_value",
    ),
    "a counter at 65535 all the time, alone": (HOURS_MODEL, {"filter_used_h": [65_535] * 40}, "means_no_value"),
    "a counter that jumps to 65535": (
        HOURS_MODEL,
        {"filter_used_h": [*(100 + 10 * d for d in range(30)), *[65_535] * 10]},
        "means_no_value",
    ),
    "a counter that jumps to 9999": (
        HOURS_MODEL,
        {"filter_used_h": [*(100 + 10 * d for d in range(38)), 9_999, 9_999]},
        "means_no_value",
    ),
    "a counter that counts two hours an hour": (
        WATER_MODEL,
        {"filter_used_h": [6_500 + 48 * d for d in DAYS]},
        "counter_outruns_time",
    ),
    "a counter that counts two hours an hour since last week": (
        WATER_MODEL,
        {"filter_used_h": [*(7_000 + 5 * d for d in range(28)), *(7_140 + 48 * d for d in range(12))]},
        "counter_outruns_time",
    ),
    "a counter of weighted hours that counts five an hour": (
        HOURS_MODEL,
        {"filter_used_h": [120 * d for d in range(28)]},
        "counter_outruns_time",
    ),
    "a counter that jumped a month ago and counts on": (
        HOURS_MODEL,
        {"filter_used_h": [*(100 + 10 * d for d in range(10)), *(3_000 + 10 * d for d in range(30))]},
        "counter_outruns_time",
    ),
    "litres that no kitchen can use": (
        WATER_MODEL,
        {"filter_used_litres": [*(400 + 10 * d for d in range(38)), 3_000, 3_010]},
        "counter_outruns_time",
    ),
    "a counter at 0 % beside 100 %": (
        HOURS_MODEL,
        {"filter_used_h": [3_300 + 5 * d for d in DAYS], "filter_life_pct": [100] * 40},
        "limits_contradict",
    ),
    "a percentage at 0 beside a counter that has hardly counted": (
        HOURS_MODEL,
        {"filter_used_h": [10 + 5 * d for d in DAYS], "filter_life_pct": [0] * 40},
        "limits_contradict",
    ),
    "a counter that began again while the percentage went on": (
        HOURS_MODEL,
        {
            "filter_used_h": [*(2_700 + 10 * d for d in range(20)), *(10 * d for d in range(20))],
            "filter_life_pct": [23 - d * 10 // 35 for d in DAYS],
        },
        "limits_contradict",
    ),
    "a percentage that fell to 0 and stays there": (
        PCT_MODEL,
        {"filter_life_pct": [*(70 - d // 2 for d in range(35)), 0, 0, 0, 0, 0]},
        "sudden_fall",
    ),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_cannot_be_is_said_to_be_in_doubt_and_sells_nothing(conn: WriteConnection, case: str) -> None:
    model, said, doubt = DOUBTFUL[case]
    shop, device = live(conn, model, said)
    found = forecast_and_offer(conn, device)
    assert (found.reason_code, found.dates) == (doubt, None)
    assert found.reason
    assert offers_of(conn, shop.customer.customer_id) == []
    [decision] = select_decisions(conn, customer_id=shop.customer.customer_id)
    why = next(gate.why for gate in decision.gates if gate.gate == "not_in_doubt")
    assert (decision.failed_gate, why) == ("not_in_doubt", f"its readings are in doubt: {found.reason}")


HONEST: dict[str, tuple[str, dict[str, Values]]] = {
    "used up by hours, and the percentage agrees": (
        HOURS_MODEL,
        {"filter_used_h": [2_700 + 18 * d for d in DAYS], "filter_life_pct": [23 - d * 18 // 35 for d in DAYS]},
    ),
    "a counter through 255 and 999": (HOURS_MODEL, {"filter_used_h": [2_800 + 15 * d for d in DAYS]}),
    "smoke: the percentage knows more than the hours": (
        HOURS_MODEL,
        {"filter_used_h": [1_000 + 20 * d for d in DAYS], "filter_life_pct": [50 - d for d in DAYS]},
    ),
    "a whole day and night on, by a clock that is a little slow": (
        HOURS_MODEL,
        {"filter_used_h": [2_300 + 24.6 * d for d in DAYS]},
    ),
    "an old part in a device that was registered late": (HOURS_MODEL, {"filter_used_h": [3_300 + 5 * d for d in DAYS]}),
    "hours run down where little water is used": (
        WATER_MODEL,
        {"filter_used_h": [7_500 + 24 * d for d in DAYS], "filter_used_litres": [300 + 2 * d for d in DAYS]},
    ),
}


@pytest.mark.parametrize("case", HONEST)
def test_what_can_be_is_believed_and_offered(conn: WriteConnection, case: str) -> None:
    shop, device = live(conn, *HONEST[case])
    found = forecast_and_offer(conn, device)
    assert (found.reason, found.reason_code) == (None, None)
    assert [offer.state for offer in offers_of(conn, shop.customer.customer_id)] == [OfferState.OPEN]


@pytest.mark.parametrize("none", [4_095, 16_383, 65_534, 65_535, 6_553.5])
def test_a_counter_that_always_stands_where_its_bits_end_sells_nothing(conn: WriteConnection, none: float) -> None:
    shop, device = live(conn, HOURS_MODEL, {"filter_used_h": [none] * 40})
    assert forecast_and_offer(conn, device).reason_code == "means_no_value"
    assert offers_of(conn, shop.customer.customer_id) == []


@pytest.mark.parametrize("hours", [1, 3, 20])
def test_a_device_that_begins_at_zero_sells_nothing_for_a_day(conn: WriteConnection, hours: int) -> None:
    shop, device = live(conn, PCT_MODEL, {"filter_life_pct": [0.0] * hours}, step=HOUR)
    assert forecast_and_offer(conn, device).reason_code == "sudden_fall"
    assert offers_of(conn, shop.customer.customer_id) == []


def test_a_device_that_begins_used_up_and_stays_so_is_believed_after_two_days(conn: WriteConnection) -> None:
    shop, device = live(conn, PCT_MODEL, {"filter_life_pct": [3.0] * 49}, step=HOUR)
    assert forecast_and_offer(conn, device).reason_code is None
    assert [offer.state for offer in offers_of(conn, shop.customer.customer_id)] == [OfferState.OPEN]


@pytest.mark.parametrize("zeros", [1, 4, 20])
def test_a_night_at_zero_sells_nothing_whenever_it_is_looked_at(conn: WriteConnection, zeros: int) -> None:
    values = [70.0] * 200 + [0.0] * zeros
    shop, device = live(conn, PCT_MODEL, {"filter_life_pct": values}, step=HOUR)
    found = forecast_and_offer(conn, device)
    assert offers_of(conn, shop.customer.customer_id) == []
    assert found.reason_code in (None, "sudden_fall", "never_depletes")


def test_one_last_reading_of_zero_on_a_part_that_runs_low_is_not_believed(conn: WriteConnection) -> None:
    _, device = live(conn, PCT_MODEL, {"filter_life_pct": [*(30 - d // 4 for d in DAYS), 0]})
    found = forecast_and_offer(conn, device)
    assert found.dates is not None
    assert (found.remaining_pct, found.dates.p50 > AT) == (21, True)


@pytest.mark.parametrize("fault", [ImportError("no Stan"), OSError(28, "No space left on device")])
def test_a_fit_that_cannot_run_costs_nobody_their_forecast(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("forecasting.part.build_index", fail)
    _, device = live(conn, PCT_MODEL, {"filter_life_pct": [90 - d // 2 for d in DAYS]})
    forecast_active(conn, AT, made_at=AT)
    [found] = select_current_forecasts(conn, [device.device_id], AT)
    assert (found.method, found.reason) == ("fixed_rate", None)


def test_a_replacement_that_is_undone_gives_back_the_forecast_the_offers_and_the_stock(conn: WriteConnection) -> None:
    shop, device = live(conn, PCT_MODEL, {"filter_life_pct": [53 - d for d in DAYS]})
    first = forecast_and_offer(conn, device)
    [offer] = offers_of(conn, shop.customer.customer_id)
    accept_offer(conn, offer.offer_id, customer_id=shop.customer.customer_id, at=AT)
    add_readings(conn, device, "filter_life_pct", [90.0, 90, 90], NOW + DAY)
    forecast_active(conn, AT + 3 * DAY, made_at=AT + 3 * DAY, forecaster="fixed")
    run_job(conn, AT + 3 * DAY)
    [wrong] = select_current_forecasts(conn, [device.device_id], AT + 3 * DAY)
    assert wrong.installation_id != first.installation_id
    # The false part is taken for the one that was ordered; then the household is offered another for it.
    forecast(conn, current_part(conn, device), AT + 8 * DAY, at=AT + 3 * DAY)
    run_job(conn, AT + 3 * DAY)
    [open_offer] = [o for o in offers_of(conn, shop.customer.customer_id) if o.state is OfferState.OPEN]
    add_readings(conn, device, "filter_life_pct", [13.0, 13, 12], NOW + 4 * DAY)
    forecast_active(conn, AT + 6 * DAY, made_at=AT + 6 * DAY, forecaster="fixed")
    run_job(conn, AT + 6 * DAY)
    [found] = select_current_forecasts(conn, [device.device_id], AT + 6 * DAY)
    assert (found.installation_id, found.remaining_pct, found.reason) == (first.installation_id, 12, None)
    steps = [(state, reason) for state, _, reason in steps_of(conn, open_offer.offer_id)]
    assert steps == [("open", None), ("withdrawn", "replacement_undone")]
    assert [o for o in offers_of(conn, shop.customer.customer_id) if o.state is OfferState.OPEN] == []
    thing = Thing(shop.customer.customer_id, open_offer.subject, open_offer.sku)
    (facts,) = select_facts(conn, [thing], AT + 6 * DAY)
    assert facts.spare == 1


def test_an_offer_for_another_device_goes_when_the_spare_it_had_lost_is_back(conn: WriteConnection) -> None:
    shop, device = live(conn, PCT_MODEL, {"filter_life_pct": [80.0] * 40})
    place_order(
        conn,
        customer_id=shop.customer.customer_id,
        channel=Channel.STORE,
        store_id=shop.store.store_id,
        items=[OrderItem(current_sku(conn, device), 1)],
        currency="EUR",
        at=AT - 5 * DAY,
    )
    other = register_device(
        conn, serial="Y", model=PCT_MODEL, customer_id=shop.customer.customer_id, installed_at=START, at=START
    )
    add_readings(conn, other, "filter_life_pct", [53 - d for d in range(44)], NOW - 39 * DAY)
    add_readings(conn, device, "filter_life_pct", [100.0, 100, 100], NOW + DAY)
    forecast_active(conn, AT + 3 * DAY, made_at=AT + 3 * DAY, forecaster="fixed")
    run_job(conn, AT + 3 * DAY)
    [offer] = offers_of(conn, shop.customer.customer_id)
    assert (offer.subject.device_id, offer.state) == (other.device_id, OfferState.OPEN)
    add_readings(conn, device, "filter_life_pct", [79.0, 79], NOW + 4 * DAY)
    forecast_active(conn, AT + 5 * DAY, made_at=AT + 5 * DAY, forecaster="fixed")
    run_job(conn, AT + 5 * DAY)
    state, _, reason = steps_of(conn, offer.offer_id)[-1]
    assert (state, reason) == (OfferState.WITHDRAWN, "provided_for")


def current_sku(conn: WriteConnection, device: Device) -> Sku:
    part = current_part(conn, device)
    return next(
        p.sku
        for parts in select_model_parts(conn).values()
        for p in parts.values()
        if p.part == part.part and p.consumable == part.consumable
    )
