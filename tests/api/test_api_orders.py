"""Sales at a till and by an operator, refunds, and whose credit they are."""

from tests.api.world import World

TILL = {"channel": "store", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3", "quantity": 2}]}


def test_a_sale_in_another_store_is_credited_to_whose_customer_it_is(world: World) -> None:
    sold = world.as_noah.post("/v1/orders", json=TILL | {"customer_id": world.ann.customer_id}, headers=world.key())
    assert sold.status_code == 201
    order = world.as_operator.get(f"/v1/orders/{sold.json()['order_id']}").json()
    assert (order["credited_to"], order["sold_by"]) == (world.mina.staff_id, world.noah.staff_id)
    assert order["amount"] == {"amount_minor": 35800, "currency": "EUR"}
    assert order["store_id"] == world.market.store_id


def test_a_refund_claws_the_commission_back(world: World) -> None:
    order = world.as_noah.post(
        "/v1/orders", json=TILL | {"customer_id": world.ann.customer_id}, headers=world.key()
    ).json()
    address = f"/v1/orders/{order['order_id']}/refunds"
    refund = {"amount": {"amount_minor": 17900, "currency": "EUR"}, "reason": "one too many"}
    done = world.as_noah.post(address, json=refund, headers=world.key())
    assert (done.status_code, done.json()["clawed_back"]) == (201, {"amount_minor": 537, "currency": "EUR"})
    too_much = world.as_noah.post(
        address, json={"amount": {"amount_minor": 17901, "currency": "EUR"}}, headers=world.key()
    )
    assert too_much.status_code == 409
    foreign = world.as_noah.post(address, json={"amount": {"amount_minor": 1, "currency": "USD"}}, headers=world.key())
    assert foreign.status_code == 422


def test_an_operator_sells_in_a_store(world: World) -> None:
    order = TILL | {"customer_id": world.ben.customer_id, "store_id": world.harbour.store_id}
    sold = world.as_operator.post("/v1/orders", json=order, headers=world.key())
    assert (sold.status_code, sold.json()["credited_to"]) == (201, None)


def test_an_order_for_nobody_or_a_stranger_is_refused(still_world: World) -> None:
    assert still_world.as_mina.post("/v1/orders", json=TILL, headers=still_world.key()).status_code == 422
    stranger = TILL | {"customer_id": "cus_stranger"}
    assert still_world.as_mina.post("/v1/orders", json=stranger, headers=still_world.key()).status_code == 404
