"""What was refused, over HTTP and on the operator's page."""

import base64
import re
from datetime import timedelta
from typing import Any

from tests.api.unknowns import let_speak, send_bad
from tests.api.world import World

BAD = b'{"boot":"b","seq":1,"metrics":{"filter_used_h":3x}}'
GOOD = '{"boot":"b","seq":1,"metrics":{"filter_used_h":2950}}'


def listed(world: World, more: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.as_operator.get(f"/v1/quarantine{more}").json()["items"]
    return items


def post(world: World, address: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = world.as_operator.post(f"/v1/quarantine/{address}", json=body, headers=world.key())
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_it_is_listed_filtered_paged_and_grouped(world: World) -> None:
    send_bad(world, "AIR-1", BAD)
    let_speak(world, "GHOST", "OTHER")
    assert {one["code"] for one in listed(world, "?model=reed-air-2")} == {"malformed", "unreadable"}
    assert len(listed(world, "?serial=GHOST&code=unknown_serial")) == 3
    assert listed(world, "?topic=millpond/v1/OTHER&from=2030-01-01T00:00:00Z") == []
    first = world.as_operator.get("/v1/quarantine?limit=5").json()
    rest = world.as_operator.get(f"/v1/quarantine?limit=5&cursor={first['next_cursor']}").json()
    numbers = [one["quarantine_id"] for one in first["items"] + rest["items"]]
    assert (len(set(numbers)), numbers == sorted(numbers, reverse=True)) == (8, True)
    groups = world.as_operator.get("/v1/quarantine/groups").json()["items"]
    assert groups[0] | {"example": ""} == groups[0] | {
        "code": "unknown_serial",
        "serials": 2,
        "items": 6,
        "example": "",
    }


def test_a_message_is_shown_with_the_place_where_it_breaks(world: World) -> None:
    shown = world.as_operator.get(f"/v1/quarantine/{send_bad(world, 'AIR-1', BAD)}").json()
    assert (shown["broken_at"], base64.b64decode(shown["payload_base64"])) == (BAD.index(b"x"), BAD)
    assert {one["code"] for one in shown["read"]} == {"malformed", "unreadable"}
    for number in ("0", "x", "9" * 30, "-1"):
        assert world.as_operator.get(f"/v1/quarantine/{number}").status_code == 404


def test_it_is_mended_once_however_often_that_is_sent(world: World) -> None:
    number = send_bad(world, "AIR-1", BAD)
    tried = post(world, f"{number}/edits", {"payload": GOOD, "dry_run": True})
    assert (tried["values_stored"], tried["left"], tried["dry_run"]) == (1, 0, True)
    assert len(listed(world)) == 2, "nothing is changed yet"
    assert post(world, f"{number}/edits", {"payload": GOOD, "note": "3x"})["values_stored"] == 1
    encoded = base64.b64encode(GOOD.encode()).decode()
    assert post(world, f"{number}/edits", {"payload_base64": encoded})["values_duplicate"] == 1
    assert listed(world) == []
    [edit] = world.as_operator.get(f"/v1/quarantine/{number}").json()["edits"]
    assert (edit["edited_by"], edit["payload"], edit["note"]) == ("operator:ops", GOOD, "3x")


def test_a_mended_message_is_said_in_one_way(world: World) -> None:
    number = send_bad(world, "AIR-1", BAD)
    for body in ({}, {"payload": "{}", "payload_base64": "e30="}, {"payload_base64": "no base64"}):
        answer = world.as_operator.post(f"/v1/quarantine/{number}/edits", json=body, headers=world.key())
        assert answer.status_code == 422, answer.text


def test_all_of_a_reason_are_stored_again_page_by_page(world: World) -> None:
    let_speak(world, "GHOST", samples=5)
    wish = {"code": "unknown_serial", "most": 2}
    assert post(world, "retries", wish)["refused"] == 2
    body = {"serial": "GHOST", "model": "generic-purifier-pct"}
    assert world.as_operator.post("/v1/devices", json=body, headers=world.key()).status_code == 201
    assert post(world, "retries", wish | {"dry_run": True})["values_stored"] == 2
    stored, cursor = 0, None
    for _ in range(4):
        told = post(world, "retries", wish | ({"cursor": cursor} if cursor else {}))
        stored, cursor = stored + told["values_stored"], told["next_cursor"]
    assert (stored, cursor) == (5, None)


def test_one_message_is_stored_again(world: World) -> None:
    let_speak(world, "GHOST", samples=1)
    [one] = listed(world)
    assert post(world, f"{one['quarantine_id']}/retry", {"dry_run": True})["refused"] == 1
    assert post(world, f"{one['quarantine_id']}/retry")["refused"] == 1


def test_the_operators_page_shows_mends_and_stores_again(world: World) -> None:
    number = send_bad(world, "AIR-1", BAD)
    browser = world.browser("operator", "ops")
    assert f'href="/ops/quarantine/{number}"' in browser.get("/ops/quarantine").text
    page = browser.get(f"/ops/quarantine/{number}").text
    assert "<mark>78</mark>" in page
    [key] = re.findall(rf'/ops/quarantine/{number}/edits" class="card stack">\s*<input [^>]*value="(\w+)"', page)
    form = {"key": key, "payload": GOOD, "topic": "millpond/v1/AIR-1/telemetry", "note": "a misprint"}
    done = browser.post(f"/ops/quarantine/{number}/edits", data=form)
    assert (done.status_code, done.headers["location"]) == (303, f"/ops/quarantine/{number}")
    page = browser.get(f"/ops/quarantine/{number}").text
    assert "stored after all" in page
    assert "a misprint" in page
    assert "Nothing was refused." in browser.get("/ops/quarantine").text
    assert browser.post(f"/ops/quarantine/{number}/retry", data={"key": "again"}).status_code == 303
    wish = {"key": "all", "code": "malformed", "model": "reed-air-2"}
    assert browser.post("/ops/quarantine/retries", data=wish).status_code == 303


def test_too_much_in_an_hour_raises_an_alarm_until_the_hour_is_over(world: World) -> None:
    with world.connect() as conn:
        conn.execute(
            "insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined)"
            " values ('c', %s, 1000, 1000, 0, 0, 0, 1000)",
            [world.clock.at - timedelta(minutes=59)],
        )
    browser = world.browser("operator", "ops")
    assert "1,000 items were refused in the last hour" in browser.get("/ops").text
    assert "something began to be refused" in browser.get("/ops/quarantine").text
    assert "millpond_quarantine_alarm 1.0" in world.client().get("/metrics").text
    world.clock.at += timedelta(minutes=5)
    assert "millpond_quarantine_alarm 0.0" in world.client().get("/metrics").text
    assert "0 items were refused in the last hour, with what waits in the lobby." in browser.get("/ops/quarantine").text
