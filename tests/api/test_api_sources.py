"""Sources of events: their keys are told once and rotate without a gap, and their figures are there for operators."""

import pytest

from tests.api.world import NOW, World

SHOP = {"name": "Shop", "kind": "web", "origins": ["https://shop.example"]}
TRACK = {"event": "Product Viewed", "userId": "ann", "messageId": "m-1", "properties": {"sku": "SKU-1"}}


def send(world: World, write_key: str) -> int:
    return int(world.client().post("/v1/track", json=TRACK, auth=(write_key, "")).status_code)


def test_a_source_is_made_with_a_key_that_is_told_once(world: World) -> None:
    key = world.key()
    made = world.as_operator.post("/v1/sources", json=SHOP, headers=key).json()
    again = world.as_operator.post("/v1/sources", json=SHOP, headers=key).json()
    assert again == made | {"write_key": None}
    assert send(world, made["write_key"]) == 200
    [listed] = world.as_operator.get("/v1/sources").json()["items"]
    assert (listed["name"], listed["scopes"], listed["origins"]) == ("Shop", ["events"], SHOP["origins"])
    assert [each["hint"] for each in listed["keys"]] == [made["write_key"][-4:]]
    assert made["write_key"] not in str(listed)
    assert (listed["last_24_h"]["taken"], listed["last_24_h"]["latest_at"]) == (
        1,
        NOW.isoformat().replace("+00:00", "Z"),
    )


def test_keys_rotate_without_a_gap(world: World) -> None:
    made = world.as_operator.post("/v1/sources", json=SHOP, headers=world.key()).json()
    keys = f"/v1/sources/{made['source_id']}/keys"
    new = world.as_operator.post(keys, headers=world.key()).json()
    assert [send(world, each["write_key"]) for each in (made, new)] == [200, 200]
    ended = world.as_operator.delete(f"{keys}/{made['key_id']}", headers=world.key())
    assert ended.status_code == 200
    assert [send(world, each["write_key"]) for each in (made, new)] == [401, 200]
    assert world.as_operator.delete(f"{keys}/{made['key_id']}", headers=world.key()).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"scopes": ["orders"]}, "the scope events and no other"),
        ({"origins": ["https://shop.example/path"]}, "without a path"),
        ({"origins": ["shop.example"]}, "without a path"),
        ({"kind": "server"}, "of kind web or app"),
        ({"kind": "pigeon"}, "kind"),
    ],
)
def test_a_source_may_no_more_than_its_kind(world: World, wrong: dict[str, object], word: str) -> None:
    answer = world.as_operator.post("/v1/sources", json=SHOP | wrong, headers=world.key())
    assert (answer.status_code, word in answer.json()["detail"]) == (422, True)


def test_operators_see_what_came_from_whom(world: World) -> None:
    made = world.as_operator.post("/v1/sources", json=SHOP, headers=world.key()).json()
    assert send(world, made["write_key"]) == 200
    world.client().post("/v1/batch", json={"batch": [{"type": "dance"}]}, auth=(made["write_key"], ""))
    page = world.browser("operator", "ops").get("/ops/sources").text
    assert "https://shop.example" in page
    assert "no_type: 1" in page
    assert made["write_key"] not in page
