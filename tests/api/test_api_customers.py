"""Who a caller is: the customer whom the token's subject names, or nobody."""

from datetime import timedelta

import pytest

from api.auth import Role, mint_token
from api.edge import find_caller
from customers.accounts import register_customer
from tests.api.world import NOW, SECRET, World, make_offer
from tests.people import merge


@pytest.mark.parametrize("named", ["id", "key"])
def test_who_was_merged_into_ann_is_ann_by_id_and_by_key(world: World, named: str) -> None:
    offer = make_offer(world)
    with world.connect() as conn:
        old = register_customer(conn, name="A.", external_key="CRM-1", at=NOW)
        merge(conn, old, into=world.ann)
    name = old.customer_id if named == "id" else "CRM-1"
    known = world.client("customer", name)
    assert [device["serial"] for device in known.get("/v1/devices").json()["items"]] == ["AIR-1"]
    for client in (known, world.as_ann, world.as_mina, world.as_operator):
        feed = client.get(f"/v1/customers/{name}/offers")
        assert [each["offer_id"] for each in feed.json()["items"]] == [offer.offer_id]
    assert world.as_operator.get(f"/v1/customers/{name}/binding").json()["customer_id"] == world.ann.customer_id
    assert "Ann" in world.browser("customer", name).get("/me").text
    accepted = known.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key())
    assert (accepted.status_code, accepted.json()["order"]["customer_id"]) == (201, world.ann.customer_id)


def test_a_caller_is_a_real_customer_or_none(world: World) -> None:
    with world.connect() as conn:
        register_customer(conn, name="Cho", external_key="home-9", at=NOW)
    subjects = (world.ann.customer_id, "home-9", "home-10", "cus_" + "0" * 20)
    edge = world.app.state.edge
    found = [
        find_caller(edge, mint_token(SECRET, Role.CUSTOMER, subject, NOW, timedelta(hours=1)), NOW)
        for subject in subjects
    ]
    assert [caller.customer_id == caller.subject for caller in found] == [True, True, False, False]
    assert [caller.subject for caller in found[2:]] == list(subjects[2:])
    assert [caller.customer_id for caller in found[2:]] == [None, None]


def test_a_token_that_nobody_is_registered_under_sees_nothing_and_does_nothing(world: World) -> None:
    stranger = world.client("customer", "home-10")
    body = {"serial": "FREE-1", "model": "reed-tv-55"}
    code = world.as_operator.post("/v1/devices", json=body, headers=world.key()).json()["claim_code"]
    assert stranger.get("/v1/devices/FREE-1").status_code == 404
    assert stranger.get("/v1/customers/home-10/offers").status_code == 404
    assert stranger.get("/v1/devices").json() == {"items": [], "next_cursor": None}
    assert stranger.get("/v1/orders").json() == {"items": [], "next_cursor": None}
    claimed = stranger.post("/v1/devices", json=body | {"claim_code": code}, headers=world.key())
    assert (claimed.status_code, claimed.json()["detail"]) == (404, "customer home-10 is not known")


def test_a_token_works_once_somebody_is_registered_under_it(world: World) -> None:
    cho = world.client("customer", "home-9")
    assert cho.get("/v1/customers/home-9/offers").status_code == 404
    world.as_operator.post("/v1/customers", json={"name": "Cho", "external_key": "home-9"}, headers=world.key())
    assert cho.get("/v1/customers/home-9/offers").json()["items"] == []
