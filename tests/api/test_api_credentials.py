"""What operators and devices do with credentials over HTTP."""

from dataclasses import replace
from datetime import timedelta

from api.tries import Tries
from devices.credentials.lines import compute_proof, issue_line_key, revoke_line_key
from devices.owners import ClaimKind, issue_claim_code
from tests.api.conftest import make_settings
from tests.api.world import World

PROVISION = "/v1/devices/provision"


def own(world: World) -> str:
    return f"/v1/devices/{world.purifier.serial}/credentials"


def test_a_credential_is_told_once_listed_without_its_secret_and_revoked(world: World) -> None:
    key = world.key()
    issued = world.as_operator.post(own(world), json={"days": 30}, headers=key).json()
    assert (issued["username"], len(issued["password"])) == ("AIR-1", 43)
    assert world.as_operator.post(own(world), json={"days": 30}, headers=key).json()["password"] is None
    listed = world.as_operator.get(own(world)).json()["items"]
    assert [(row["slot"], row["issued_by"], row["ended_at"]) for row in listed] == [(1, "operator:ops", None)]
    assert issued["password"] not in str(listed)
    assert world.as_operator.delete(own(world), headers=world.key()).json() == {"serial": "AIR-1", "ended": 1}
    [row] = world.as_operator.get(own(world)).json()["items"]
    assert (row["ended_because"], row["ended_by"]) == ("revoked", "operator:ops")


def test_a_device_changes_its_credential_by_itself(world: World) -> None:
    first = world.as_operator.post(own(world), json={}, headers=world.key()).json()
    sign_in = {"username": first["username"], "password": first["password"]}
    device = world.client()
    second = device.post(PROVISION, json=sign_in, headers=world.key()).json()
    assert second["username"] == "AIR-1~2"
    used = {"username": second["username"], "password": second["password"]}
    answer = device.post(f"{PROVISION}/used", json=used, headers=world.key())
    assert answer.json() == {"serial": "AIR-1", "slot": 2}
    assert device.post(PROVISION, json=sign_in, headers=world.key()).status_code == 401


def test_a_device_whose_answer_was_lost_asks_again_within_the_hour(world: World) -> None:
    at = world.clock.at
    with world.connect() as conn:
        life = timedelta(days=1)
        code = issue_claim_code(conn, world.purifier, ClaimKind.PROVISION, at=at, issued_by="operator:o", life=life)
    body, key = {"serial": "AIR-1", "claim_code": code}, world.key()
    device = world.client()
    first = device.post(PROVISION, json=body, headers=key).json()
    assert device.post(PROVISION, json=body, headers=key).json() == first
    assert device.post(PROVISION, json=body, headers=world.key()).status_code == 404
    world.clock.at += timedelta(minutes=61)
    assert device.post(PROVISION, json=body, headers=key).json()["password"] is None


def test_a_device_of_a_line_proves_itself_with_the_key_of_the_line(world: World) -> None:
    keys = make_settings(world.dsn).device_keys()
    with world.connect() as conn:
        at, life = world.clock.at, timedelta(days=1)
        key = issue_line_key(conn, keys, "line-1", model="reed-air-2", devices_max=1, at=at, by="operator:o", life=life)
    body = {
        "serial": "NEW-1",
        "line": "line-1",
        "nonce": "a-new-one",
        "proof": compute_proof(key, "NEW-1", "a-new-one"),
    }
    answer = world.client().post(PROVISION, json=body, headers=world.key())
    assert (answer.status_code, answer.json()["username"]) == (201, "NEW-1")
    assert world.client().post(PROVISION, json=body, headers=world.key()).status_code == 409


def test_nothing_is_given_or_told_again_by_a_line_from_the_moment_on_in_which_it_is_revoked(world: World) -> None:
    keys = make_settings(world.dsn).device_keys()
    with world.connect() as conn:
        at, life = world.clock.at, timedelta(days=1)
        key = issue_line_key(conn, keys, "line-1", model="reed-air-2", devices_max=9, at=at, by="operator:o", life=life)

    def say(serial: str, nonce: str) -> dict[str, str]:
        return {"serial": serial, "line": "line-1", "nonce": nonce, "proof": compute_proof(key, serial, nonce)}

    first, device = world.key(), world.client()
    assert device.post(PROVISION, json=say("NEW-1", "nonce-01"), headers=first).json()["password"]
    assert device.post(PROVISION, json=say("NEW-1", "nonce-01"), headers=first).json()["password"]
    with world.connect() as conn:
        revoke_line_key(conn, "line-1", at=at, by="operator:o")
    assert device.post(PROVISION, json=say("NEW-1", "nonce-01"), headers=first).json()["password"] is None
    for serial, nonce in (("NEW-1", "nonce-02"), ("NEW-2", "nonce-03")):
        assert device.post(PROVISION, json=say(serial, nonce), headers=world.key()).status_code == 404


def test_whoever_is_wrong_too_often_waits_and_who_is_right_never_does(world: World) -> None:
    good = world.as_operator.post(own(world), json={}, headers=world.key()).json()
    right = {"username": good["username"], "password": good["password"]}
    wrong = {"serial": "AIR-1", "claim_code": "0000-0000-0000-0000"}
    world.app.state.edge = replace(world.app.state.edge, tries=Tries(3, 0, now=lambda: 0.0))
    device = world.client()
    for _ in range(5):
        assert device.post(f"{PROVISION}/used", json=right, headers=world.key()).status_code == 200
    assert [device.post(PROVISION, json=wrong, headers=world.key()).status_code for _ in range(3)] == [404] * 3
    for path, body in ((PROVISION, wrong), (f"{PROVISION}/used", right)):
        refused = device.post(path, json=body, headers=world.key())
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    assert 'millpond_provision_refused_tries_total{bound="address"}' in device.get("/metrics").text


def test_a_body_that_proves_nothing_is_told_what_to_say(world: World) -> None:
    answer = world.client().post(PROVISION, json={"serial": "AIR-1"}, headers=world.key())
    assert answer.status_code == 422
    assert "claim_code" in answer.json()["detail"]
