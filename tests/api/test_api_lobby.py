"""Unknown devices over HTTP and on the operator's page."""

import re
from typing import Any

from tests.api.unknowns import add_rule, let_speak
from tests.api.world import NOW, World


def lobby(world: World, more: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.as_operator.get(f"/v1/lobby{more}").json()["items"]
    return items


def test_who_waits_is_listed_and_shown_with_what_it_may_be(world: World) -> None:
    let_speak(world, "GHOST")
    [one] = lobby(world)
    assert (one["name"], one["format"], one["state"], one["messages"]) == ("GHOST", "millpond-v1", "waiting", 3)
    shown = world.as_operator.get(f"/v1/lobby/{one['lobby_id']}").json()
    assert (shown["guesses"][0]["readings"], shown["guesses"][0]["refused"]) == (3, 0)
    assert shown["serial"] == "GHOST"
    assert [message["topic"] for message in shown["newest"]] == ["millpond/v1/GHOST/telemetry"] * 3


def test_who_is_admitted_has_what_it_sent_at_once_and_a_repeated_key_says_the_same(world: World) -> None:
    let_speak(world, "GHOST")
    address, body, key = "/v1/lobby/GHOST/admit", {"model": "generic-purifier-pct", "region": "north"}, world.key()
    done = world.as_operator.post(address, json=body, headers=key)
    assert done.status_code == 200, done.text
    told = done.json()
    assert (told["stored"], told["messages"], told["waiting"]) == (3, 3, 0)
    assert (told["device"]["serial"], told["device"]["region"]) == ("GHOST", "north")
    assert world.as_operator.post(address, json=body, headers=key).json() == told
    readings = world.as_operator.get("/v1/devices/GHOST/readings?metric=filter_life_pct&from=2026-03-01T00:00:00Z")
    assert len(readings.json()["points"]) == 3
    assert lobby(world) == []
    assert [one["decided_by"] for one in lobby(world, "?state=admitted")] == ["operator:ops"]


def test_a_device_of_a_model_that_is_not_known_stays_in_the_lobby(world: World) -> None:
    let_speak(world, "GHOST")
    done = world.as_operator.post("/v1/lobby/GHOST/admit", json={"model": "nothing"}, headers=world.key())
    assert (done.status_code, "model nothing is not known" in done.text) == (422, True)
    assert len(lobby(world)) == 1


def test_who_is_refused_and_who_is_forgotten(world: World) -> None:
    let_speak(world, "GHOST", "OTHER")
    refused = world.as_operator.post("/v1/lobby/GHOST/refuse", headers=world.key()).json()
    assert (refused["state"], refused["decided_by"]) == ("refused", "operator:ops")
    let_speak(world, "GHOST")
    assert [one["dropped"] for one in lobby(world, "?state=refused")] == [3]
    assert world.as_operator.post("/v1/lobby/OTHER/forget", headers=world.key()).status_code == 200
    assert lobby(world) == []
    assert world.as_operator.post("/v1/lobby/OTHER/forget", headers=world.key()).status_code == 404


def test_the_lobby_is_listed_page_by_page_and_searched(world: World) -> None:
    let_speak(world, *(f"GHOST-{n}" for n in range(5)), "OTHER")
    first = world.as_operator.get("/v1/lobby?limit=4&search=ghost").json()
    rest = world.as_operator.get(f"/v1/lobby?limit=4&search=ghost&cursor={first['next_cursor']}").json()
    assert sorted(one["name"] for one in first["items"] + rest["items"]) == [f"GHOST-{n}" for n in range(5)]
    assert rest["next_cursor"] is None


def test_rules_are_made_listed_and_removed(world: World) -> None:
    body = {"format": "zigbee2mqtt", "pattern": "purifier-*", "model": "generic-purifier-pct"}
    made = world.as_operator.post("/v1/lobby-rules", json=body, headers=world.key()).json()
    assert (made["pattern"], made["made_by"]) == ("purifier-*", "operator:ops")
    assert world.as_operator.post("/v1/lobby-rules", json=body, headers=world.key()).status_code == 409
    assert world.as_operator.get("/v1/lobby-rules").json()["items"] == [made]
    other = world.as_operator.post("/v1/lobby-rules", json=body | {"format": "nobody's"}, headers=world.key())
    assert other.status_code == 422
    address = f"/v1/lobby-rules/{made['rule_id']}/removal"
    assert world.as_operator.post(address, headers=world.key()).json() == made
    assert world.as_operator.post(address, headers=world.key()).status_code == 404


def test_a_device_gets_the_names_that_hubs_have_for_it(world: World) -> None:
    address, body = "/v1/devices/AIR-1/aliases", {"format": "tasmota", "external_id": "plug"}
    assert world.as_operator.post(address, json=body, headers=world.key()).status_code == 201
    [named] = world.as_operator.get(address).json()["items"]
    assert (named["format"], named["external_id"]) == ("tasmota", "plug")
    wrong = world.as_operator.post(address, json=body | {"format": "tasmoda"}, headers=world.key())
    assert (wrong.status_code, "no format is called 'tasmoda'" in wrong.json()["detail"]) == (422, True)
    taken = world.as_operator.post(f"/v1/devices/{world.bens_tv.serial}/aliases", json=body, headers=world.key())
    assert taken.status_code == 409


def test_the_operators_pages_admit_refuse_and_forget(world: World) -> None:
    let_speak(world, "GHOST", "OTHER", "THIRD")
    browser = world.browser("operator", "ops")
    assert "GHOST" in browser.get("/ops/lobby").text
    page = browser.get("/ops/lobby/GHOST").text
    assert "filter_life_pct" in page
    [key] = re.findall(
        r'action="/ops/lobby/lob_\w+/admit" class="card stack">\s*<input type="hidden" name="key" value="(\w+)"', page
    )
    form = {"key": key, "model": "generic-purifier-pct", "region": "", "installed_on": "2026-01-05"}
    assert browser.post("/ops/lobby/GHOST/admit", data=form).status_code == 303
    assert world.as_operator.get("/v1/devices/GHOST").json()["installed_at"] == "2026-01-05T00:00:00Z"
    assert "It is registered" in browser.get("/ops/lobby/GHOST").text
    for name, word in (("OTHER", "refuse"), ("THIRD", "forget")):
        done = browser.post(f"/ops/lobby/{name}/{word}", data={"key": f"key-{name}"})
        assert (done.status_code, done.headers["location"]) == (303, "/ops/lobby")
    assert "Nobody is here." in browser.get("/ops/lobby").text
    assert "OTHER" in browser.get("/ops/lobby?state=refused").text


def test_the_operators_page_has_the_rules(world: World) -> None:
    browser = world.browser("operator", "ops")
    form = {"key": "k1", "format": "Tasmota", "pattern": "air-?", "model": "generic-purifier-pct", "region": ""}
    assert browser.post("/ops/lobby/rules/new", data=form).status_code == 303
    page = browser.get("/ops/lobby").text
    [rule_id] = re.findall(r"/ops/lobby/rules/(rule_\w+)/removal", page)
    done = browser.post(f"/ops/lobby/rules/{rule_id}/removal", data={"key": "k2"})
    assert done.status_code == 303
    assert "air-?" not in browser.get("/ops/lobby").text


def test_the_rule_of_the_world_is_of_its_moment(world: World) -> None:
    rule_id = add_rule(world)
    [rule] = world.as_operator.get("/v1/lobby-rules").json()["items"]
    assert (rule["rule_id"], rule["made_at"]) == (rule_id, NOW.isoformat().replace("+00:00", "Z"))


def test_metrics_and_the_overview_say_how_much_waits(world: World) -> None:
    let_speak(world, "GHOST", "OTHER")
    page = world.client().get("/metrics").text
    assert "millpond_lobby_waiting 2.0" in page
    assert "millpond_lobby_messages 6.0" in page
    assert "6 messages of unknown devices" in world.browser("operator", "ops").get("/ops").text
