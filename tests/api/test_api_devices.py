"""Devices over HTTP: registering, listing, showing, their readings and forecasts."""

import json
from datetime import datetime, timedelta

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.store import select_metrics, upsert_device_status
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import store_batch
from millpond.kernel.settings import Settings
from tests.api.world import NOW, World, make_forecasts, use_up


def test_an_operator_registers_a_device_for_anyone(world: World) -> None:
    body = {"serial": "VAC-9", "model": "reed-vac-s", "customer_id": world.ann.customer_id}
    body |= {"installed_at": "2026-02-01T09:00:00+09:00"}
    answer = world.as_operator.post("/v1/devices", json=body, headers=world.key())
    assert answer.json()["installed_at"] == "2026-02-01T00:00:00Z"
    assert world.as_ann.get("/v1/devices/VAC-9").json()["installations"][0]["part"] == "filter"


def test_a_taken_serial_is_a_conflict(still_world: World) -> None:
    body = {"serial": "AIR-1", "model": "reed-air-2"}
    answer = still_world.as_operator.post("/v1/devices", json=body, headers=still_world.key())
    assert (answer.status_code, answer.json()["detail"]) == (409, "serial AIR-1 is already registered")


def test_a_device_shows_its_parts_and_latest_values(world: World) -> None:
    use_up(world)
    shown = world.as_ann.get("/v1/devices/AIR-1").json()
    assert shown["latest"] == [
        {"metric": "filter_used_h", "unit": "h", "measured_at": "2026-03-02T09:00:00Z", "value": 3120.0, "state": None}
    ]
    assert [(i["part"], i["ended_at"]) for i in shown["installations"]] == [("filter", None)]


def test_devices_are_paged_to_the_last_one_without_gaps(still_world: World) -> None:
    client, seen, cursor = still_world.as_operator, [], ""
    for _ in range(3):
        page = client.get(f"/v1/devices?limit=1{cursor}").json()
        seen += [row["serial"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["AIR-1", "TV-1"]


@pytest.mark.parametrize("cursor", ["nonsense", "WyJhIl0", "%00", "W10"])
def test_a_foreign_cursor_is_refused(still_world: World, cursor: str) -> None:
    answer = still_world.as_operator.get(f"/v1/devices?cursor={cursor}")
    assert (answer.status_code, answer.json()["detail"][:7]) == (422, "cursor:")


def test_a_customer_lists_only_their_own(still_world: World) -> None:
    assert [row["serial"] for row in still_world.as_ben.get("/v1/devices").json()["items"]] == ["TV-1"]


def test_raw_readings_in_a_half_open_range(world: World) -> None:
    use_up(world)
    query = "metric=filter_used_h&from=2026-02-28T09:00:00Z&to=2026-03-02T09:00:00Z"
    series = world.as_ann.get(f"/v1/devices/AIR-1/readings?{query}").json()
    assert [point["value"] for point in series["points"]] == [3068.0, 3094.0]
    assert (series["unit"], series["bucket_s"], series["truncated"]) == ("h", None, False)


@pytest.mark.parametrize(("bucket", "seconds"), [("1d", 86400), ("PT6H", 21600), ("15m", 900), ("P1DT12H", 129600)])
def test_bucketed_readings(world: World, bucket: str, seconds: int) -> None:
    use_up(world)
    query = f"metric=filter_used_h&from=2026-02-20T00:00:00Z&bucket={bucket}"
    series = world.as_ann.get(f"/v1/devices/AIR-1/readings?{query}").json()
    assert series["bucket_s"] == seconds
    assert sum(point["readings"] for point in series["points"]) == 10
    assert all(point["min_value"] <= point["value"] <= point["max_value"] for point in series["points"])


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("metric=filter_used_h&bucket=1fortnight", "bucket:"),
        ("metric=filter_used_h&bucket=P", "bucket:"),
        ("metric=filter_used_h&bucket=0h", "bucket:"),
        ("metric=filter_used_h&bucket=99999d", "bucket:"),
        ("metric=no_such", "metric:"),
        ("", "query metric:"),
        ("metric=filter_used_h&from=2026-03-01T00:00:00", "query from:"),
        ("metric=filter_used_h&from=0001-01-01T00:00:00%2B14:00", "query from:"),
        ("metric=filter_used_h&from=2026-04-01T00:00:00Z", "from:"),
        ("metric=filter_used_h&from=1980-01-01T00:00:00Z", "from:"),
    ],
)
def test_a_series_that_cannot_be_says_why(still_world: World, query: str, where: str) -> None:
    answer = still_world.as_ann.get(f"/v1/devices/AIR-1/readings?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(where)


def test_forecasts_of_what_is_installed_now(world: World) -> None:
    use_up(world)
    make_forecasts(world)
    (forecast,) = world.as_ann.get("/v1/devices/AIR-1/forecasts").json()["items"]
    assert forecast["part"] == "filter"
    assert forecast["consumable"] == "reed-hepa-h13"
    assert forecast["threshold_pct"] == 10
    assert forecast["remaining_pct"] == pytest.approx(100 * (1 - 3120 / 3500), abs=0.1)
    assert forecast["depletes_p10"] <= forecast["depletes_p50"] <= forecast["depletes_p90"]
    assert forecast["made_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert forecast["reason"] is None


def test_an_operator_is_told_of_a_doubtful_clock_and_of_numbers_that_never_came(world: World) -> None:
    with world.connect() as conn:
        delivery = {"boot": "b", "samples": [{"seq": seq, "ts": 1000, "metrics": {"power": True}} for seq in (1, 2, 5)]}
        message = Delivery("millpond/v1/AIR-1/telemetry", json.dumps(delivery).encode(), NOW, Lane.LIVE, 1, 1, 1)
        store_batch(conn, [message], Limits.from_settings(Settings()), consumer="test", at=NOW)
    doubt = world.as_operator.get("/v1/devices/AIR-1").json()["doubt"]
    assert (doubt["clock_samples"], doubt["gaps"]) == (3, 1)
    assert doubt["clock_offset_s"] < -1_000_000_000
    assert world.as_ann.get("/v1/devices/AIR-1").json()["doubt"] is None


def test_an_operator_is_told_of_two_units_under_one_serial(world: World) -> None:
    doubt = world.as_operator.get("/v1/devices/AIR-1").json()["doubt"]
    assert (doubt["shared_serial_returns"], doubt["shared_serial_names"]) == (0, None)
    with world.connect() as conn:
        for turn in range(6):
            sample = {"boot": f"unit-{turn % 2}", "seq": turn // 2 + 1, "metrics": {"power": True}}
            message = Delivery("millpond/v1/AIR-1/telemetry", json.dumps(sample).encode(), NOW, Lane.LIVE, 1, 1, 1)
            at = NOW + timedelta(minutes=turn)
            store_batch(conn, [message], Limits.from_settings(Settings()), consumer="test", at=at)
    doubt = world.as_operator.get("/v1/devices/AIR-1").json()["doubt"]
    assert (doubt["shared_serial_returns"], doubt["shared_serial_names"]) == (4, ["unit-1", "unit-0"])
    first_at, last_at = (datetime.fromisoformat(doubt[f"shared_serial_{which}_at"]) for which in ("first", "last"))
    assert (first_at, last_at) == (NOW + timedelta(minutes=2), NOW + timedelta(minutes=5))
    assert "millpond_shared_serials 1.0" in world.client().get("/metrics").text


def test_completeness_is_told_by_the_day(world: World) -> None:
    use_up(world)
    told = world.as_ann.get("/v1/devices/AIR-1/completeness").json()
    assert (told["serial"], told["interval_s"]) == ("AIR-1", 86_400)
    assert {(day["received"], day["expected"], day["share"]) for day in told["days"][:-1]} == {(1, 1, 1)}


@pytest.mark.parametrize("query", ["from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "from=2020-01-01T00:00:00Z"])
def test_completeness_is_told_of_a_sensible_time_only(still_world: World, query: str) -> None:
    answer = still_world.as_ann.get(f"/v1/devices/AIR-1/completeness?{query}")
    assert (answer.status_code, answer.json()["detail"][:5]) == (422, "from:")


@pytest.mark.parametrize(
    ("delays_s", "behind_s"), [((7200, 7203, 9000), 7200), ((-120, 5, 60), -120), ((0.4, 80), 0.4)]
)
def test_a_clock_is_told_by_the_least_delay_of_the_last_day(
    world: World, delays_s: tuple[float, ...], behind_s: float
) -> None:
    with world.connect() as conn, conn.transaction():
        metric_id = select_metrics(conn)["reed-air-2"]["filter_used_h"].metric_id
        for hours, delay_s in ((30, -999.0), *enumerate(delays_s)):
            at = NOW - timedelta(hours=hours)
            received_at = at + timedelta(seconds=delay_s)
            readings = [Reading(world.purifier.device_id, metric_id, at, 1.0, None, received_at, False)]
            store_readings(conn, columns_of(readings))
    doubt = world.as_operator.get("/v1/devices/AIR-1").json()["doubt"]
    assert doubt["clock_behind_s"] == behind_s
    page = world.browser("operator", "ops").get("/ops/devices/AIR-1").text
    assert ("by its last day of readings its clock is" in page) == (abs(behind_s) >= 60)


def test_a_device_tells_its_presence_and_the_list_finds_it_by_that(world: World) -> None:
    with world.connect() as conn:
        upsert_device_status(conn, world.purifier.device_id, state="online", session="s1", at=world.clock.at)
    shown = world.as_ann.get(f"/v1/devices/{world.purifier.serial}").json()["presence"]
    assert (shown["connection"], shown["reporting"]) == ("online", "never_heard")
    for asked, serials in (("connection=online", ["AIR-1"]), ("connection=unknown&reporting=never_heard", ["TV-1"])):
        found = world.as_operator.get(f"/v1/devices?{asked}").json()["items"]
        assert [each["serial"] for each in found] == serials
    assert world.as_ben.get("/v1/devices?connection=online").json()["items"] == []
    assert world.as_operator.get("/v1/devices?reporting=asleep").status_code == 422
