"""A caller who may not see a thing gets 404, whatever the thing and whoever the caller."""

import pytest

from attribution.bindings import binding_at
from tests.api.house import NOW, House, make_offer


def addresses(house: House) -> dict[str, str]:
    """Everything of Ann's and Mina's that has an address, by what it is."""
    offer = make_offer(house)
    with house.connect() as conn:
        binding = binding_at(conn, house.ann.customer_id, NOW)
    assert binding is not None
    order = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3"}]}
    placed = house.as_ann.post("/v1/orders", json=order, headers=house.key()).json()
    return {
        "device": "GET /v1/devices/AIR-1",
        "readings": "GET /v1/devices/AIR-1/readings?metric=filter_used_h",
        "forecasts": "GET /v1/devices/AIR-1/forecasts",
        "binding": f"GET /v1/customers/{house.ann.customer_id}/binding",
        "transfer": f"POST /v1/bindings/{binding.binding_id}/transfers",
        "refusal": f"POST /v1/bindings/{binding.binding_id}/refusal",
        "offers": f"GET /v1/customers/{house.ann.customer_id}/offers",
        "seen": f"POST /v1/offers/{offer.offer_id}/seen",
        "accept": f"POST /v1/offers/{offer.offer_id}/accept",
        "decline": f"POST /v1/offers/{offer.offer_id}/decline",
        "order": f"GET /v1/orders/{placed['order_id']}",
        "orders": f"GET /v1/orders?customer_id={house.ann.customer_id}",
        "refund": f"POST /v1/orders/{placed['order_id']}/refunds",
        "decision": f"GET /v1/decisions/{offer.decision_id}",
        "decisions": f"GET /v1/customers/{house.ann.customer_id}/decisions",
        "qr": f"GET /v1/staff/{house.mina.staff_id}/qr.svg",
        "png": f"GET /v1/staff/{house.mina.staff_id}/qr.png",
        "fresh code": f"POST /v1/staff/{house.mina.staff_id}/qr-tokens",
        "statement": f"GET /v1/staff/{house.mina.staff_id}/statement",
        "payouts": f"POST /v1/staff/{house.mina.staff_id}/payouts",
    }


BODIES = {
    "transfer": {"to_staff_id": "stf_someone"},
    "refund": {"amount": {"amount_minor": 1, "currency": "EUR"}},
}
# Whose token opens what; everything else is 404.
OPEN = {
    "ann": {
        *("device", "readings", "forecasts", "binding", "transfer", "refusal", "offers"),
        *("seen", "accept", "decline", "order", "orders", "refund", "decision", "decisions"),
    },
    "mina": {"offers", "qr", "png", "fresh code", "statement"},
}


@pytest.mark.parametrize("who", ["ben", "noah", "ann", "mina"])
def test_what_is_not_yours_does_not_exist(house: House, who: str) -> None:
    calls = addresses(house)
    client = getattr(house, f"as_{who}")
    for what, call in calls.items():
        if what in OPEN.get(who, set()):
            continue
        method, address = call.split(" ", 1)
        answer = client.request(method, address, json=BODIES.get(what), headers=house.key() if method == "POST" else {})
        assert answer.status_code == 404, f"{who} got {answer.status_code} for {what}"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("who", ["ann", "mina"])
def test_what_is_yours_does(house: House, who: str) -> None:
    client, calls = getattr(house, f"as_{who}"), addresses(house)
    for what in OPEN[who]:
        method, address = calls[what].split(" ", 1)
        if method == "GET":
            assert client.get(address).status_code == 200, what


def test_another_persons_thing_and_no_thing_are_answered_alike(house: House) -> None:
    make_offer(house)
    anothers = house.as_ben.get("/v1/devices/AIR-1").json()
    nobodys = house.as_ben.get("/v1/devices/AIR-2").json()
    for problem in (anothers, nobodys):
        del problem["instance"], problem["request_id"]
        problem["detail"] = problem["detail"].replace("AIR-1", "?").replace("AIR-2", "?")
    assert anothers == nobodys


def test_staff_lose_sight_of_a_customer_who_is_not_theirs(house: House) -> None:
    address = f"/v1/customers/{house.ann.customer_id}/offers"
    assert house.as_mina.get(address).status_code == 200
    assert house.as_noah.get(address).status_code == 404


def test_who_left_neither_sees_customers_nor_refunds(house: House) -> None:
    make_offer(house)
    order = {"customer_id": house.ann.customer_id, "channel": "store", "currency": "EUR"}
    order |= {"items": [{"sku": "REED-SOUNDBAR-3"}]}  # type: ignore[dict-item]
    sold = house.as_mina.post("/v1/orders", json=order, headers=house.key()).json()
    house.as_operator.post(f"/v1/staff/{house.mina.staff_id}/departure", headers=house.key())
    refund = {"amount": {"amount_minor": 100, "currency": "EUR"}}
    address = f"/v1/orders/{sold['order_id']}/refunds"
    assert house.as_mina.post(address, json=refund, headers=house.key()).status_code == 404
    assert house.as_mina.post("/v1/orders", json=order, headers=house.key()).status_code == 404
    assert house.as_mina.get(f"/v1/customers/{house.ann.customer_id}/offers").status_code == 404
    page = house.browser("staff", house.mina.staff_id).get("/staff")
    assert page.status_code == 200
    assert "with you since" not in page.text


def test_a_brands_key_for_a_customer_is_not_turned_into_an_id_for_others(house: House) -> None:
    house.as_operator.post("/v1/customers", json={"name": "Cho", "external_key": "home-9"}, headers=house.key())
    for client in (house.as_ann, house.as_mina):
        for key in ("home-9", "home-10"):
            answer = client.get(f"/v1/customers/{key}/binding")
            assert (answer.status_code, answer.json()["detail"]) == (
                404,
                f"there is no customer {key} that you may see",
            )


def test_staff_sell_only_at_their_own_till(house: House) -> None:
    order = {"customer_id": house.ann.customer_id, "channel": "store", "currency": "EUR"}
    order |= {"items": [{"sku": "REED-SOUNDBAR-3"}], "store_id": house.harbour.store_id}  # type: ignore[dict-item]
    assert house.as_noah.post("/v1/orders", json=order, headers=house.key()).status_code == 404
    assert house.as_mina.post("/v1/orders", json=order, headers=house.key()).status_code == 201


def test_staff_refund_only_what_their_store_sold(house: House) -> None:
    order = {"customer_id": house.ann.customer_id, "channel": "store", "currency": "EUR"}
    order |= {"items": [{"sku": "REED-SOUNDBAR-3"}]}  # type: ignore[dict-item]
    sold = house.as_mina.post("/v1/orders", json=order, headers=house.key()).json()
    refund = {"amount": {"amount_minor": 100, "currency": "EUR"}}
    address = f"/v1/orders/{sold['order_id']}/refunds"
    assert house.as_noah.post(address, json=refund, headers=house.key()).status_code == 404
    assert house.as_mina.post(address, json=refund, headers=house.key()).status_code == 201
