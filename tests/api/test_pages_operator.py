"""The operator's pages: forecasts of today, jobs in short words, titles."""

from datetime import UTC, datetime

from forecasting.job import run_forecasts
from tests.api.house import NOW, House, make_offer

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_forecast_for_a_later_moment_hides_none_of_today(house: House) -> None:
    make_offer(house)
    ann, ops = house.browser("customer", house.ann.customer_id), house.browser("operator", "ops")
    [forecast] = house.as_ann.get("/v1/devices/AIR-1/forecasts").json()["items"]
    expected = datetime.fromisoformat(forecast["depletes_p50"]).strftime("%-d %B")
    with house.connect() as conn:
        run_forecasts(conn, LATER, made_at=NOW, forecaster="fixed")
    assert f"<strong>{expected}</strong>" in ops.get("/ops").text
    assert f"<strong>{expected}</strong>" in ops.get("/ops/forecasts").text
    assert f"Lasts until about {expected}" in ann.get("/me").text
