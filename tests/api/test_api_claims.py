"""Claiming a device with the code of its label: proof, pauses after wrong codes, and two who claim at once."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from devices.store import select_device
from millpond.kernel.db import WriteConnection
from tests.api.claims import VAC, claim, owner, register
from tests.api.world import World
from tests.races import race


def test_who_holds_the_label_claims_the_device(world: World) -> None:
    code = register(world)["claim_code"]
    answer = claim(world, world.as_ben, code.lower().replace("-", " "), model="reed-vac-s", region="seoul")
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["customer_id"], shown["region"]) == (world.ben.customer_id, "seoul")
    assert shown["installed_at"] == "2026-03-02T09:00:00Z"
    assert [d["serial"] for d in world.as_ben.get("/v1/devices").json()["items"]] == ["TV-1", "VAC-9"]


def test_a_customer_makes_no_device_out_of_nothing(world: World) -> None:
    answer = world.as_ben.post(
        "/v1/devices", json={"serial": "NEVER-SEEN-1", "model": "reed-tv-55"}, headers=world.key()
    )
    assert (answer.status_code, "claim_code" in answer.json()["detail"]) == (422, True)
    claimed = {"serial": "NEVER-SEEN-1", "model": "reed-tv-55", "claim_code": "0000-0000-0000-0000"}
    assert world.as_ben.post("/v1/devices", json=claimed, headers=world.key()).status_code == 404
    with world.connect() as conn:
        assert select_device(conn, "NEVER-SEEN-1") is None


def test_a_wrong_code_an_unknown_serial_and_anothers_device_are_answered_alike(world: World) -> None:
    register(world)
    answers = []
    for serial in ("VAC-9", "NOPE-1", "AIR-1"):
        body = {"serial": serial, "claim_code": "0000-0000-0000-0000"}
        answer = world.as_ben.post("/v1/devices", json=body, headers=world.key())
        problem = answer.json()
        del problem["request_id"]
        answers.append((answer.status_code, problem))
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]


def test_a_claim_code_is_kept_nowhere_but_as_a_digest_and_is_told_once(world: World) -> None:
    key = world.key()
    code = world.as_operator.post("/v1/devices", json=VAC, headers=key).json()["claim_code"]
    again = world.as_operator.post("/v1/devices", json=VAC, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.json()["claim_code"]) == (201, None)
    with world.connect() as conn:
        kept = str(conn.execute("select * from claim_code").fetchall())
        kept += str(conn.execute("select response from idempotency_key").fetchall())
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_a_device_with_an_owner_gives_no_code_and_its_label_claims_nothing(world: World) -> None:
    assert register(world, customer_id=world.ann.customer_id)["claim_code"] is None
    code = world.as_operator.post("/v1/devices/VAC-9/claim-codes", headers=world.key()).json()["claim_code"]
    answer = claim(world, world.as_ben, code)
    assert (answer.status_code, "has an owner" in answer.json()["detail"]) == (409, True)
    assert owner(world, "VAC-9") == world.ann.customer_id


def test_a_newer_label_voids_the_older(world: World) -> None:
    old = register(world)["claim_code"]
    new = world.as_operator.post("/v1/devices/VAC-9/claim-codes", headers=world.key()).json()["claim_code"]
    assert claim(world, world.as_ben, old).status_code == 404
    assert claim(world, world.as_ben, new).status_code == 201


def test_many_wrong_codes_end_in_a_pause_and_the_right_one_forgives(world: World) -> None:
    code = register(world)["claim_code"]
    for _ in range(9):
        assert claim(world, world.as_ben, "0000-0000-0000-0000").status_code == 404
    assert claim(world, world.as_ben, code).status_code == 201
    for _ in range(10):
        claim(world, world.as_ben, "0000-0000-0000-0000", serial="AIR-1")
    paused = claim(world, world.as_ben, code)
    assert (paused.status_code, paused.headers["retry-after"]) == (429, "3600")
    world.clock.at += timedelta(hours=1)
    assert claim(world, world.as_ben, code).status_code == 201


def test_a_customer_claims_as_many_devices_as_the_setting_allows(world: World) -> None:
    most = world.app.state.edge.settings.customer_devices_max
    codes = [register(world, serial=f"VAC-{number}")["claim_code"] for number in range(most)]
    for number, code in enumerate(codes[:-1]):
        assert claim(world, world.as_ben, code, serial=f"VAC-{number}").status_code == 201
    over = claim(world, world.as_ben, codes[-1], serial=f"VAC-{most - 1}")
    assert (over.status_code, over.json()["detail"]) == (
        409,
        f"a customer may own {most} devices at most: release one first",
    )


@pytest.mark.parametrize("installed_at", ["1970-01-01T00:00:01Z", "2026-03-02T09:00:01Z", "2199-01-01T00:00:00Z"])
def test_nothing_is_installed_in_the_future_or_before_there_were_such_devices(world: World, installed_at: str) -> None:
    code = register(world)["claim_code"]
    tries: list[Callable[[], Any]] = [
        lambda: claim(world, world.as_ben, code, installed_at=installed_at),
        lambda: world.as_operator.post(
            "/v1/devices", json=VAC | {"serial": "VAC-10", "installed_at": installed_at}, headers=world.key()
        ),
        lambda: world.as_operator.patch("/v1/devices/VAC-9", json={"installed_at": installed_at}, headers=world.key()),
    ]
    for answer in (each() for each in tries):
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("installed_at ")


def claims_at_once(world: World, clients: Sequence[Any], code: str, serial: str) -> list[Any]:
    """What each client was answered who claims the device at the same moment."""

    def attempt(client: Any) -> Callable[[WriteConnection], int]:
        return lambda _: int(claim(world, client, code, serial=serial).status_code)

    return race(world.dsn, [attempt(client) for client in clients])


def test_of_two_who_claim_at_once_one_gets_it(world: World) -> None:
    for number in range(8):
        code = register(world, serial=f"RACE-{number}")["claim_code"]
        clients = (world.as_ann, world.as_ben)
        assert sorted(claims_at_once(world, clients, code, serial=f"RACE-{number}")) == [201, 409]
    with world.connect() as conn:
        periods = conn.execute("select count(*) from device_owner where owned_until is null").fetchone()
    assert periods == (10,)


def test_two_claims_of_one_customer_at_once_are_one(world: World) -> None:
    code = register(world)["claim_code"]
    assert claims_at_once(world, [world.as_ben] * 4, code, serial="VAC-9") == [201] * 4
    assert len(world.as_operator.get("/v1/devices/VAC-9/owners").json()["items"]) == 1


def test_of_two_buyers_with_one_code_one_gets_it(world: World) -> None:
    cho = world.as_operator.post("/v1/customers", json={"name": "Cho"}, headers=world.key()).json()["customer_id"]
    code = world.as_ann.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
    first, second = sorted(claims_at_once(world, [world.as_ben, world.client("customer", cho)], code, serial="AIR-1"))
    assert first == 201
    assert second in (404, 409)


def _claims(world: World, code: str, _own: WriteConnection) -> int:
    return int(claim(world, world.as_ben, code, serial="AIR-1").status_code)


@pytest.mark.parametrize("asked", ["transfers", "release"])
def test_who_sold_a_device_and_asks_at_the_same_moment_does_not_get_it_back(world: World, asked: str) -> None:
    for _ in range(12):
        world.clock.at += timedelta(hours=2)  # Wrong codes are counted by the hour.
        code = world.as_ann.post("/v1/devices/AIR-1/transfers", headers=world.key()).json()["claim_code"]
        tries: list[Callable[[WriteConnection], int]] = [
            partial(_claims, world, code),
            lambda _: int(world.as_ann.post(f"/v1/devices/AIR-1/{asked}", headers=world.key()).status_code),
        ]
        bought, taken = race(world.dsn, tries)
        # A new code voids the old one, and a release takes it from whoever sells: one of the two comes too late.
        assert {bought, taken} & {404, 409}
        assert (owner(world, "AIR-1") == world.ben.customer_id) == (bought == 201)
        world.as_operator.patch("/v1/devices/AIR-1", json={"customer_id": world.ann.customer_id}, headers=world.key())
