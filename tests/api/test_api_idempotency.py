"""A write sent twice happens once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.world import World

ORDER = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3"}]}


def count_orders(world: World) -> int:
    with world.connect() as conn:
        row = conn.execute("select count(*) from customer_order").fetchone()
    assert row is not None
    return int(row[0])


def test_the_same_key_and_request_get_the_same_answer(world: World) -> None:
    key = world.key()
    first = world.as_ann.post("/v1/orders", json=ORDER, headers=key)
    again = world.as_ann.post("/v1/orders", json=ORDER, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert count_orders(world) == 1


def test_a_key_used_for_another_request_is_refused(world: World) -> None:
    key = world.key()
    world.as_ann.post("/v1/orders", json=ORDER, headers=key)
    other = world.as_ann.post("/v1/orders", json=ORDER | {"channel": "web"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:millpond:problem:idempotency-key-reused")
    assert count_orders(world) == 1


def test_two_callers_may_think_of_the_same_key(world: World) -> None:
    key = world.key()
    assert world.as_ann.post("/v1/orders", json=ORDER, headers=key).status_code == 201
    assert world.as_ben.post("/v1/orders", json=ORDER, headers=key).status_code == 201
    assert count_orders(world) == 2


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 201}])
def test_a_write_without_a_fit_key_is_refused(still_world: World, headers: dict[str, str]) -> None:
    answer = still_world.as_ann.post("/v1/orders", json=ORDER, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:millpond:problem:idempotency-key-missing")
    assert count_orders(still_world) == 0


def test_a_refused_write_leaves_its_key_free(world: World) -> None:
    key = world.key()
    wrong = world.as_ann.post("/v1/orders", json=ORDER | {"items": [{"sku": "NO-SUCH"}]}, headers=key)
    assert wrong.status_code == 422
    assert world.as_ann.post("/v1/orders", json=ORDER, headers=key).status_code == 201


def test_eight_at_once_under_one_key_write_once(world: World) -> None:
    key = world.key()

    def send(_: int) -> tuple[int, str]:
        answer = world.as_ann.post("/v1/orders", json=ORDER, headers=key)
        return answer.status_code, answer.json()["order_id"]

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(8)))
    assert len(answers) == 1
    assert count_orders(world) == 1
