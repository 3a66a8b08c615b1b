"""A caller who may not see a thing gets 404, whatever the thing and whoever the caller."""

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from attribution.bindings import binding_at
from customers.accounts import register_customer
from tests.api.world import NOW, World, make_offer
from tests.people import merge

REFUND = {"amount": {"amount_minor": 100, "currency": "EUR"}}


def sell(world: World, client: TestClient, **more: object) -> Response:
    """A soundbar for Ann at the till of whoever sells."""
    order = {"customer_id": world.ann.customer_id, "channel": "store", "currency": "EUR"}
    items = {"items": [{"sku": "REED-SOUNDBAR-3"}]}
    answer: Response = client.post("/v1/orders", json=order | items | more, headers=world.key())
    return answer


def refund(world: World, client: TestClient, order_id: str) -> int:
    return int(client.post(f"/v1/orders/{order_id}/refunds", json=REFUND, headers=world.key()).status_code)


def test_another_persons_thing_and_no_thing_are_answered_alike(world: World) -> None:
    make_offer(world)
    anothers = world.as_ben.get("/v1/devices/AIR-1").json()
    nobodys = world.as_ben.get("/v1/devices/AIR-2").json()
    for problem in (anothers, nobodys):
        del problem["instance"], problem["request_id"]
        problem["detail"] = problem["detail"].replace("AIR-1", "?").replace("AIR-2", "?")
    assert anothers == nobodys


def test_a_customer_whom_nobody_registered_is_refused_like_any_other(world: World) -> None:
    stranger = world.client("customer", "cus_" + "0" * 20)
    with world.connect() as conn:
        binding = binding_at(conn, world.ann.customer_id, world.clock.at)
    assert binding is not None
    for method, address in (
        ("GET", "/v1/devices/AIR-1"),
        ("POST", "/v1/devices/AIR-1/transfers"),
        ("POST", "/v1/devices/AIR-1/release"),
        ("POST", f"/v1/bindings/{binding.binding_id}/refusal"),
        ("GET", f"/v1/customers/{world.ann.customer_id}/binding"),
    ):
        told = {
            client.request(method, address, headers=world.key()).json()["detail"] for client in (stranger, world.as_ben)
        }
        assert len(told) == 1, (address, told)


def test_staff_lose_sight_of_a_customer_who_is_not_theirs(world: World) -> None:
    address = f"/v1/customers/{world.ann.customer_id}/offers"
    assert world.as_mina.get(address).status_code == 200
    assert world.as_noah.get(address).status_code == 404


def test_who_left_neither_sees_customers_nor_sells_nor_refunds(world: World) -> None:
    sold = sell(world, world.as_mina).json()["order_id"]
    world.as_operator.post(f"/v1/staff/{world.mina.staff_id}/departure", headers=world.key())
    assert refund(world, world.as_mina, sold) == 404
    assert sell(world, world.as_mina).status_code == 404
    assert world.as_mina.get(f"/v1/customers/{world.ann.customer_id}/offers").status_code == 404
    page = world.browser("staff", world.mina.staff_id).get("/staff")
    assert page.status_code == 200
    assert "with you since" not in page.text


def test_a_brands_key_for_a_customer_is_not_turned_into_an_id_for_others(world: World) -> None:
    world.as_operator.post("/v1/customers", json={"name": "Cho", "external_key": "home-9"}, headers=world.key())
    for client in (world.as_ann, world.as_mina):
        for key in ("home-9", "home-10"):
            answer = client.get(f"/v1/customers/{key}/binding")
            assert (answer.status_code, answer.json()["detail"]) == (
                404,
                f"there is no customer {key} that you may see",
            )


def test_staff_sell_only_at_their_own_till(world: World) -> None:
    assert sell(world, world.as_noah, store_id=world.harbour.store_id).status_code == 404
    assert sell(world, world.as_mina, store_id=world.harbour.store_id).status_code == 201


def test_staff_refund_only_what_their_store_sold(world: World) -> None:
    sold = sell(world, world.as_mina).json()["order_id"]
    assert refund(world, world.as_noah, sold) == 404
    assert refund(world, world.as_mina, sold) == 201


def test_a_customer_never_refunds_what_they_bought(world: World) -> None:
    in_a_shop = sell(world, world.as_mina).json()["order_id"]
    in_the_app = sell(world, world.as_ann, channel="app").json()["order_id"]
    for order_id in (in_a_shop, in_the_app):
        assert world.as_ann.get(f"/v1/orders/{order_id}").status_code == 200
        assert refund(world, world.as_ann, order_id) == 404
        assert refund(world, world.as_operator, order_id) == 201


def test_who_is_credited_sees_the_order_and_refunds_it_not(world: World) -> None:
    for sold in (sell(world, world.as_noah), sell(world, world.as_ann, channel="app")):
        order_id = sold.json()["order_id"]
        assert world.as_mina.get(f"/v1/orders/{order_id}").json()["credited_to"] == world.mina.staff_id
        assert refund(world, world.as_mina, order_id) == 404


def test_nobody_at_a_till_refunds_what_they_bought_themselves(world: World) -> None:
    employed = {"store_id": world.harbour.store_id, "name": "Ann", "customer_id": world.ann.customer_id}
    ann = world.as_operator.post("/v1/staff", json=employed, headers=world.key()).json()["staff_id"]
    order_id = sell(world, world.as_mina).json()["order_id"]
    till = world.client("staff", ann)
    answer = till.post(f"/v1/orders/{order_id}/refunds", json=REFUND, headers=world.key())
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "nobody refunds what they bought themselves: ask a colleague or an operator",
    )
    assert refund(world, world.as_mina, order_id) == 201


def test_nor_what_they_bought_by_an_account_that_was_merged_into_theirs(world: World) -> None:
    with world.connect() as conn:
        now = register_customer(conn, name="Ann", at=NOW)
    order_id = sell(world, world.as_mina).json()["order_id"]
    for account in (world.ann, now):
        employed = {"store_id": world.harbour.store_id, "name": "Ann", "customer_id": account.customer_id}
        ann = world.as_operator.post("/v1/staff", json=employed, headers=world.key()).json()["staff_id"]
        if account is world.ann:
            with world.connect() as conn:
                merge(conn, world.ann, into=now)
        assert refund(world, world.client("staff", ann), order_id) == 422
    assert refund(world, world.as_mina, order_id) == 201


@pytest.mark.parametrize(
    "wrong", [{"items": [{"sku": "NO-SUCH"}]}, {"currency": "USD"}, {"items": [{"sku": "REED-SOUNDBAR-3"}] * 101}]
)
def test_a_sale_that_cannot_be_tells_a_till_nothing_of_customers(world: World, wrong: dict[str, object]) -> None:
    known = sell(world, world.as_noah, **wrong)
    unknown = sell(world, world.as_noah, customer_id="cus_" + "0" * 20, **wrong)
    assert (known.status_code, known.json()["detail"]) == (unknown.status_code, unknown.json()["detail"])
    assert known.status_code == 422


def test_a_till_is_not_told_who_is_credited_but_the_credited_are(world: World) -> None:
    sold = sell(world, world.as_noah).json()
    order = f"/v1/orders/{sold['order_id']}"
    [listed] = world.as_noah.get("/v1/orders").json()["items"]
    for told in (sold, world.as_noah.get(order).json(), listed):
        assert (told["credited_to"], told["binding_id"]) == (None, None)
    for client in (world.as_mina, world.as_ann, world.as_operator):
        assert client.get(order).json()["credited_to"] == world.mina.staff_id
