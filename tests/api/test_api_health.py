"""/readyz and /metrics tell the truth."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.health import beat
from millpond.cli.findings import Level
from millpond.cli.telemetry_checks import check_ingest
from millpond.kernel.clock import StillClock
from millpond.kernel.db import open_read_pool, open_write_pool
from millpond.kernel.settings import Settings
from tests.api.world import NOW, World


def red_lines(client: TestClient) -> list[str]:
    answer = client.get("/readyz")
    red = [line["check"] for line in answer.json()["checks"] if not line["ok"]]
    assert answer.status_code == (503 if red else 200)
    return red


def test_ready_when_the_database_answers_and_ingest_beats(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=0, lag_s=0.0)
    assert red_lines(world.client()) == []


def test_not_ready_before_any_ingest(still_world: World) -> None:
    assert red_lines(still_world.client()) == ["ingest"]


def test_not_ready_when_ingest_lost_its_broker(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=False, in_flight=0, lag_s=0.0)
    assert red_lines(world.client()) == ["ingest"]


def test_not_ready_when_ingest_fell_silent(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=0, lag_s=0.0)
        conn.execute("update ingest_consumer set beat_at = beat_at - interval '6 s'")
    answer = world.client().get("/readyz").json()
    assert answer["status"] == "not ready"
    assert re.fullmatch(r"ingest-1 gave no sign of life for \d+ s", answer["checks"][2]["detail"])


def test_not_ready_when_messages_wait_long_to_be_stored(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=0, lag_s=75.0)
    ingest = world.client().get("/readyz").json()["checks"][2]
    assert (ingest["ok"], ingest["detail"]) == (False, "ingest-1 is behind: messages wait 75 s to be stored")


def test_not_ready_while_the_database_refuses_what_ingest_holds(world: World) -> None:
    with world.connect() as conn:
        trouble = "the database refuses 4 messages, they are kept: division by zero"
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=4, lag_s=0.0, trouble=trouble)
    ingest = world.client().get("/readyz").json()["checks"][2]
    assert (ingest["ok"], ingest["detail"]) == (False, f"ingest-1: {trouble}")


def test_one_living_ingest_is_enough(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "old", epoch=1, connected=True, in_flight=0, lag_s=0.0)
        conn.execute("update ingest_consumer set beat_at = beat_at - interval '1 h'")
        beat(conn, "new", epoch=1, connected=True, in_flight=0, lag_s=0.0)
    assert red_lines(world.client()) == []


def test_not_ready_with_a_schema_that_is_behind(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=0, lag_s=0.0)
        conn.execute("delete from schema_version where name = (select max(name) from schema_version)")
    assert red_lines(world.client()) == ["schema", "ingest"]


@pytest.mark.parametrize("detail", ["the broker is away", "the check itself failed: ZeroDivisionError"])
def test_the_composition_root_adds_lines_of_its_own(settings: Settings, detail: str) -> None:
    def check() -> str | None:
        return detail if detail.startswith("the broker") else str(1 / 0)

    dsn = settings.database_url.get_secret_value()
    with open_read_pool(dsn) as reads, open_write_pool(dsn) as writes:
        app = create_app(
            settings, clock=StillClock(NOW), read_pool=reads, write_pool=writes, extra_health={"broker": check}
        )
        assert {"check": "broker", "ok": False, "detail": detail} in TestClient(app).get("/readyz").json()["checks"]


def test_received_is_the_sum_of_what_became_of_it(world: World) -> None:
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=4, lag_s=0.0)
        conn.execute(
            "insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined)"
            " values ('ingest-1', '2026-03-01', 3, 10, 6, 2, 1, 1), ('ingest-2', '2026-03-01', 1, 5, 5, 0, 0, 0)"
        )
    page = world.client().get("/metrics").text
    values = {name: float(value) for name, value in re.findall(r"^(millpond_ingest_\S+) (\S+)$", page, re.MULTILINE)}
    outcomes = [value for name, value in values.items() if name.startswith("millpond_ingest_readings_total{")]
    assert len(outcomes) == 4
    assert values["millpond_ingest_received_total"] == sum(outcomes) + values["millpond_ingest_in_flight"] == 19
    assert "millpond_ledger_balance_minor 0.0" in page
    assert "millpond_devices 2.0" in page


def test_requests_are_counted_by_route_and_not_by_address(still_world: World) -> None:
    for serial in ("AIR-1", "SOME-OTHER-SERIAL"):
        still_world.as_ann.get(f"/v1/devices/{serial}")
    page = still_world.client().get("/metrics").text
    assert 'millpond_http_requests_total{method="GET",route="/v1/devices/{serial}",status="200"}' in page
    assert "SOME-OTHER-SERIAL" not in page


BEATS: dict[str, dict[str, Any]] = {
    "fine": {"connected": True, "lag_s": 0.2},
    "away from its broker": {"connected": False, "lag_s": 0.0},
    "behind": {"connected": True, "lag_s": 75.0},
    "in trouble": {"connected": True, "lag_s": 0.0, "trouble": "the database refuses 4 messages, they are kept: odd"},
}


@pytest.mark.parametrize("state", ["never ran", "silent", *BEATS])
def test_the_readiness_page_and_the_doctor_say_the_same_of_ingest(world: World, settings: Settings, state: str) -> None:
    with world.connect() as conn:
        if state != "never ran":
            beat(conn, "ingest-1", epoch=1, in_flight=0, **BEATS.get(state, BEATS["fine"]))
        if state == "silent":
            conn.execute("update ingest_consumer set beat_at = beat_at - interval '1 h'")
        doctor = check_ingest(conn, settings.status_grace_s)
    line = world.client().get("/readyz").json()["checks"][2]
    assert (line["check"], line["ok"]) == (doctor.check, doctor.level is Level.GOOD) == ("ingest", state == "fine")
    assert without_seconds(line["detail"]) == without_seconds(doctor.sentence.removesuffix("."))


def without_seconds(sentence: str) -> str:
    """The sentence without how long ago the last beat was: the two look one after the other."""
    return re.sub(r"(last sign of life|gave no sign of life for) [\d.,]+ s", "", sentence)
