"""Callers who are refused again and again cost nothing that stays."""

from fastapi.testclient import TestClient

from tests.api.world import World
from tests.leftovers import count_traces

ELSEWHERE = {"channel": "app", "currency": "EUR", "items": [{"sku": "GENERIC-HEPA"}], "store_id": "sto_x"}


def test_refusals_by_the_hundred_over_http_leave_nothing_behind(still_world: World) -> None:
    with still_world.as_ann as ann:
        refuse(still_world, ann, times=20)
        before = count_traces()
        refuse(still_world, ann, times=400)
        assert count_traces() <= before + 100  # A server's own idle tasks come and go; a leak would be hundreds.


def refuse(world: World, client: TestClient, times: int) -> None:
    for _ in range(times):
        answer = client.post("/v1/orders", json=ELSEWHERE, headers=world.key())
        assert answer.json()["detail"] == "an order in a store names the store, an order elsewhere does not"
