"""What an app or a till reads: the catalogue, orders, decisions; and paying staff."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from attribution.release import release_commissions
from tests.api.world import World, make_offer

NEXT_PAGE = "next_cursor"


def read_all(client: TestClient, address: str, *, limit: int = 1) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    page = client.get(address, params={"limit": limit}).json()
    while page[NEXT_PAGE]:
        items += page["items"]
        page = client.get(address, params={"limit": limit, "cursor": page[NEXT_PAGE]}).json()
    return items + list(page["items"])


def sell(world: World, client: TestClient, sku: str, **more: object) -> str:
    order = {"currency": "EUR", "channel": "app", "items": [{"sku": sku}]} | more
    sold = client.post("/v1/orders", json=order, headers=world.key())
    assert sold.status_code == 201, sold.text
    return str(sold.json()["order_id"])


@pytest.mark.parametrize("who", ["ann", "mina", "operator"])
def test_anyone_signed_in_reads_the_catalogue_to_its_end(still_world: World, who: str) -> None:
    client = getattr(still_world, f"as_{who}")
    products = read_all(client, "/v1/products", limit=20)
    skus = [product["sku"] for product in products]
    assert skus == sorted(skus) == [product["sku"] for product in read_all(client, "/v1/products", limit=33)]
    [bar] = [product for product in products if product["sku"] == "REED-SOUNDBAR-3"]
    assert bar["price"] == {"amount_minor": 17900, "currency": "EUR"}
    assert set(bar["names"]) == {"en", "ko", "zh"}
    assert bar["category"]
    assert still_world.client().get("/v1/products").status_code == 401


def test_everyone_lists_the_orders_that_are_theirs_to_see(world: World) -> None:
    at_the_till = {"channel": "store", "customer_id": world.ann.customer_id}
    till = sell(world, world.as_mina, "REED-SOUNDBAR-3", **at_the_till)
    world.clock.at += timedelta(minutes=1)
    other_till = sell(world, world.as_noah, "REED-SOUNDBAR-3", **at_the_till)
    world.clock.at += timedelta(minutes=1)
    app = sell(world, world.as_ben, "REED-HEPA-H13")
    seen = {who: read_all(getattr(world, f"as_{who}"), "/v1/orders") for who in ("ann", "ben", "mina", "operator")}
    assert {who: [order["order_id"] for order in orders] for who, orders in seen.items()} == {
        "ann": [other_till, till],
        "ben": [app],
        "mina": [till],
        "operator": [app, other_till, till],
    }
    bens = world.as_operator.get(f"/v1/orders?customer_id={world.ben.customer_id}").json()["items"]
    assert [order["order_id"] for order in bens] == [app]


def test_anothers_orders_cannot_be_asked_for(still_world: World) -> None:
    address = f"/v1/orders?customer_id={still_world.ann.customer_id}"
    assert still_world.as_ann.get(address).status_code == 200
    for client in (still_world.as_ben, still_world.as_mina):
        assert client.get(address).status_code == 404
    assert still_world.as_operator.get("/v1/orders?customer_id=nobody").status_code == 404
    assert still_world.as_operator.get("/v1/orders?cursor=WyJub3ciLCAib3JkXzEiXQ").status_code == 422


def test_who_left_lists_no_orders(world: World) -> None:
    world.as_operator.post(f"/v1/staff/{world.mina.staff_id}/departure", headers=world.key())
    assert world.as_mina.get("/v1/orders").status_code == 404


def test_an_order_comes_with_its_lines_and_refunds(world: World) -> None:
    order_id = sell(world, world.as_ann, "REED-SOUNDBAR-3")
    give_back = {"amount": {"amount_minor": 900, "currency": "EUR"}, "reason": "a scratch"}
    world.as_operator.post(f"/v1/orders/{order_id}/refunds", json=give_back, headers=world.key())
    for client in (world.as_ann, world.as_mina, world.as_operator):
        order = client.get(f"/v1/orders/{order_id}").json()
        assert [line["sku"] for line in order["lines"]] == ["REED-SOUNDBAR-3"]
        assert order["refunded"]["amount_minor"] == 900
        assert [(refund["amount"]["amount_minor"], refund["reason"]) for refund in order["refunds"]] == [
            (900, "a scratch")
        ]
    for client in (world.as_ben, world.as_noah):
        assert client.get(f"/v1/orders/{order_id}").status_code == 404


def test_decisions_are_listed_with_every_rule_for_operators_and_in_plain_words_for_the_customer(world: World) -> None:
    offer = make_offer(world)
    address = f"/v1/customers/{world.ann.customer_id}/decisions"
    told, shown = read_all(world.as_ann, address), read_all(world.as_operator, address)
    assert offer.decision_id in [decision["decision_id"] for decision in told]
    assert [decision["decision_id"] for decision in told] == [decision["decision_id"] for decision in shown]
    assert all(decision["words"] and decision["gates"] is decision["candidates"] is None for decision in told)
    assert all(decision["gates"] and decision["candidates"] for decision in shown)
    for client in (world.as_ben, world.as_mina):
        assert client.get(address).status_code == 404


def test_an_operator_pays_what_is_available_once(world: World) -> None:
    sell(world, world.as_ann, "REED-SOUNDBAR-3")
    address = f"/v1/staff/{world.mina.staff_id}/payouts"
    early = world.as_operator.post(address, headers=world.key())
    assert (early.status_code, early.json()["detail"]) == (409, "nothing is available to pay out to Mina")
    world.clock.at += timedelta(days=15)
    with world.connect() as conn:
        release_commissions(conn, world.clock.at)
    key = world.key()
    paid, again = (world.as_operator.post(address, headers=key) for _ in range(2))
    assert paid.status_code == 201
    [payout] = paid.json()["items"]
    assert (payout["staff_id"], payout["amount"]) == (world.mina.staff_id, {"amount_minor": 537, "currency": "EUR"})
    assert again.json() == paid.json()
    assert world.as_operator.post(address, headers=world.key()).status_code == 409
    totals = world.as_mina.get(f"/v1/staff/{world.mina.staff_id}/statement").json()["totals"][0]
    assert (totals["paid_out"]["amount_minor"], totals["payable"]["amount_minor"]) == (537, 0)
    assert world.as_operator.post("/v1/staff/stf_nobody/payouts", headers=world.key()).status_code == 404
