"""Who looks after a customer: scanning a code, and handing over."""

from datetime import timedelta

import pytest

from attribution.bindings import binding_at
from attribution.tokens import issue_badge_token, issue_screen_token
from millpond.kernel.ids import BindingId
from tests.api.world import NOW, World


def ann_binding(world: World) -> BindingId:
    with world.connect() as conn:
        binding = binding_at(conn, world.ann.customer_id, NOW)
    assert binding is not None
    return binding.binding_id


def test_a_second_scan_answers_with_the_binding_in_force(world: World) -> None:
    token = issue_badge_token(world.keys, world.noah)
    answer = world.as_ann.post("/v1/bindings", json={"token": token}, headers=world.key())
    assert (answer.status_code, answer.json()["outcome"]) == (200, "already_bound")
    assert answer.json()["staff_id"] == world.mina.staff_id


@pytest.mark.parametrize("token", ["forged", "a.b.c", "\ud800"[:0] + "x" * 3000])
def test_a_code_that_is_not_ours_binds_nobody(still_world: World, token: str) -> None:
    answer = still_world.as_ben.post("/v1/bindings", json={"token": token}, headers=still_world.key())
    assert answer.status_code == 422
    assert still_world.as_ben.get(f"/v1/customers/{still_world.ben.customer_id}/binding").status_code == 404


def test_an_expired_screen_code_binds_nobody(world: World) -> None:
    token = issue_screen_token(world.keys, world.mina, at=NOW)
    world.clock.at += timedelta(seconds=61)
    assert world.as_ben.post("/v1/bindings", json={"token": token}, headers=world.key()).status_code == 422


def test_a_spent_screen_code_binds_no_second_customer(world: World) -> None:
    register = {"token": issue_screen_token(world.keys, world.noah, at=NOW)}
    assert world.as_ben.post("/v1/bindings", json=register, headers=world.key()).status_code == 201
    spent = world.as_ann.post("/v1/bindings", json=register, headers=world.key())
    assert spent.status_code in (200, 409)
    assert spent.json().get("staff_id") != world.noah.staff_id


def test_staff_and_operators_cannot_scan(still_world: World) -> None:
    token = issue_badge_token(still_world.keys, still_world.mina)
    for client in (still_world.as_noah, still_world.as_operator):
        assert client.post("/v1/bindings", json={"token": token}, headers=still_world.key()).status_code == 404


def test_who_looks_after_me(still_world: World) -> None:
    for client in (still_world.as_ann, still_world.as_operator):
        shown = client.get(f"/v1/customers/{still_world.ann.customer_id}/binding").json()
        assert (shown["credit"]["name"], shown["bound_until"]) == ("Mina", None)


def test_nobody_looks_after_ben_and_nobody_knows_a_stranger(still_world: World) -> None:
    for customer in (still_world.ben.customer_id, "cus_stranger"):
        assert still_world.as_operator.get(f"/v1/customers/{customer}/binding").status_code == 404


def test_a_hand_over_begins_after_the_delay_and_can_be_refused(world: World) -> None:
    body = {"to_staff_id": world.noah.staff_id, "reason": "moved"}
    coming = world.as_ann.post(f"/v1/bindings/{ann_binding(world)}/transfers", json=body, headers=world.key())
    assert coming.status_code == 201
    assert coming.json()["bound_from"] == "2026-03-03T09:00:00Z"
    address = f"/v1/bindings/{coming.json()['binding_id']}/refusal"
    assert world.as_ann.post(address, headers=world.key()).json()["staff_id"] == world.mina.staff_id
