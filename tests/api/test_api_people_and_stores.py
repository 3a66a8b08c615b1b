"""An operator keeps customers, stores and staff; a brand's own key works wherever a customer's id is asked for."""

import pytest

from tests.api.world import NOW, World


def test_a_platform_can_be_filled_over_http_alone(world: World) -> None:
    ops = world.as_operator
    store = ops.post("/v1/stores", json={"name": "Pier", "currency": "EUR"}, headers=world.key()).json()
    staff = ops.post("/v1/staff", json={"name": "Kim", "store_id": store["store_id"]}, headers=world.key())
    assert staff.status_code == 201, staff.text
    customer = ops.post("/v1/customers", json={"name": "Cho", "external_key": "home-9"}, headers=world.key()).json()
    device = {"serial": "CHO-1", "model": "reed-tv-55", "customer_id": "home-9"}
    made = ops.post("/v1/devices", json=device, headers=world.key())
    assert (made.status_code, made.json()["customer_id"]) == (201, customer["customer_id"])

    code = world.client("staff", staff.json()["staff_id"]).post(
        f"/v1/staff/{staff.json()['staff_id']}/qr-tokens", headers=world.key()
    )
    cho = world.client("customer", "home-9")
    bound = cho.post("/v1/bindings", json={"token": code.json()["token"]}, headers=world.key())
    assert (bound.status_code, bound.json()["customer_id"]) == (201, customer["customer_id"])
    assert cho.get("/v1/customers/home-9/binding").json()["staff_id"] == staff.json()["staff_id"]
    assert cho.get("/v1/customers/home-9/offers").json()["items"] == []
    assert [d["serial"] for d in cho.get("/v1/devices").json()["items"]] == ["CHO-1"]
    sale = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3", "quantity": 1}]}
    assert cho.post("/v1/orders", json=sale | {"customer_id": "home-9"}, headers=world.key()).status_code == 201


def test_another_customers_key_is_another_customers_id(world: World) -> None:
    world.as_operator.post("/v1/customers", json={"name": "Cho", "external_key": "home-9"}, headers=world.key())
    for path in ("/v1/customers/home-9/binding", "/v1/customers/home-9/offers"):
        assert world.as_ann.get(path).status_code == 404
    body = {"serial": "X-1", "model": "reed-tv-55"}
    code = world.as_operator.post("/v1/devices", json=body, headers=world.key()).json()["claim_code"]
    claim = body | {"customer_id": "home-9", "claim_code": code}
    assert world.as_ann.post("/v1/devices", json=claim, headers=world.key()).status_code == 404
    sale = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3", "quantity": 1}]}
    answer = world.as_ann.post("/v1/orders", json=sale | {"customer_id": "home-9"}, headers=world.key())
    assert answer.status_code == 404


def test_a_key_that_looks_like_another_customers_id_is_not_that_customer(world: World) -> None:
    """An id always wins over a key, so nobody becomes someone else by their key's spelling."""
    taken = {"name": "Eve", "external_key": world.ann.customer_id}
    assert world.as_operator.post("/v1/customers", json=taken, headers=world.key()).status_code == 201
    binding = world.client("customer", world.ann.customer_id).get(f"/v1/customers/{world.ann.customer_id}/binding")
    assert binding.json()["customer_id"] == world.ann.customer_id


def test_lists_are_paged(world: World) -> None:
    for number in range(3):
        world.as_operator.post("/v1/customers", json={"name": f"C{number}"}, headers=world.key())
    for kind, least in (("customers", 5), ("stores", 2), ("staff", 2)):
        seen, cursor = [], None
        while True:
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = world.as_operator.get(f"/v1/{kind}", params=params).json()
            seen += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) >= least
        assert len({str(item) for item in seen}) == len(seen)


def test_who_left_binds_nobody_and_a_voided_badge_neither(world: World) -> None:
    noah = world.noah.staff_id
    voided = world.as_operator.post(f"/v1/staff/{world.mina.staff_id}/badges", headers=world.key())
    assert (voided.status_code, voided.json()["badge_version"]) == (201, 2)
    left = world.as_operator.post(f"/v1/staff/{noah}/departure", headers=world.key())
    assert (left.status_code, left.json()["left_at"]) == (200, NOW.isoformat().replace("+00:00", "Z"))


@pytest.mark.parametrize("kind", ["customers", "stores", "staff"])
def test_the_registers_are_the_operators_alone(still_world: World, kind: str) -> None:
    for client in (still_world.as_ann, still_world.as_mina):
        assert client.get(f"/v1/{kind}").status_code == 404
        assert client.post(f"/v1/{kind}", json={"name": "x"}, headers=still_world.key()).status_code in (404, 422)


def test_what_cannot_be_is_one_sentence(world: World) -> None:
    ops = world.as_operator
    for path, body, sentence in [
        ("/v1/stores", {"name": "P", "currency": "euro"}, "currency"),
        ("/v1/stores", {"name": "P", "currency": "ZZZ"}, "body currency: 'ZZZ' is not a currency in use"),
        ("/v1/stores", {"name": "P\u202egnoP", "currency": "EUR"}, "body name: text cannot hold the character U+202E"),
        ("/v1/customers", {"name": " "}, "body name: text cannot be blank"),
        (
            "/v1/customers",
            {"name": "A", "external_key": "a\nb"},
            "body external_key: text cannot hold the character U+000A",
        ),
        ("/v1/stores", {"name": "P", "currency": "EUR", "time_zone": "Mars/Base"}, "Mars/Base"),
        ("/v1/staff", {"name": "K", "store_id": "sto_nowhere"}, "that store is not known"),
        ("/v1/devices", {"serial": "Z", "model": "reed-tv-55", "customer_id": "nobody"}, "nobody"),
    ]:
        answer = ops.post(path, json=body, headers=world.key())
        assert answer.status_code == 422, answer.text
        assert sentence in answer.json()["detail"]
    ops.post("/v1/customers", json={"name": "A", "external_key": "k"}, headers=world.key())
    again = ops.post("/v1/customers", json={"name": "B", "external_key": "k"}, headers=world.key())
    assert again.status_code == 409


def test_a_person_known_by_the_brands_key_cannot_scan_their_own_code(world: World) -> None:
    ops = world.as_operator
    ops.post("/v1/customers", json={"name": "Cho", "external_key": "home-9"}, headers=world.key())
    body = {"name": "Cho", "store_id": world.harbour.store_id, "customer_id": "home-9"}
    staff_id = ops.post("/v1/staff", json=body, headers=world.key()).json()["staff_id"]
    code = ops.post(f"/v1/staff/{staff_id}/qr-tokens", headers=world.key()).json()["token"]
    own = world.client("customer", "home-9").post("/v1/bindings", json={"token": code}, headers=world.key())
    assert (own.status_code, "your own code" in own.json()["detail"]) == (422, True)


def test_a_brands_key_may_begin_like_an_id_of_ours(world: World) -> None:
    key = "cus_NffrFeUfNV2Hib"
    world.as_operator.post("/v1/customers", json={"name": "Cho", "external_key": key}, headers=world.key())
    cho = world.client("customer", key)
    assert cho.get(f"/v1/customers/{key}/offers").status_code == 200
    body = {"serial": "CHO-1", "model": "reed-tv-55"}
    code = world.as_operator.post("/v1/devices", json=body, headers=world.key()).json()["claim_code"]
    device = cho.post("/v1/devices", json=body | {"claim_code": code}, headers=world.key())
    assert device.status_code == 201, device.text


@pytest.mark.parametrize(
    "zone",
    [
        "localtime",
        "Factory",
        "Mars/Base",
        "UTC+3",
        "europe/berlin",
        "../../etc/passwd",
        " Europe/Berlin",
        "posixrules",
        "GMT+25",
    ],
)
def test_a_time_zone_is_one_of_the_database_of_zones(still_world: World, zone: str) -> None:
    for path, body in (
        ("/v1/customers", {"name": "A", "time_zone": zone}),
        ("/v1/stores", {"name": "P", "currency": "EUR", "time_zone": zone}),
    ):
        answer = still_world.as_operator.post(path, json=body, headers=still_world.key())
        assert (answer.status_code, repr(zone) in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Kolkata", "Asia/Calcutta", "America/Argentina/Buenos_Aires", "Etc/GMT+3"]
)
def test_every_zone_of_the_database_is_taken(world: World, zone: str) -> None:
    body = {"name": "A", "time_zone": zone}
    made = world.as_operator.post("/v1/customers", json=body, headers=world.key())
    assert (made.status_code, made.json()["time_zone"]) == (201, zone)
