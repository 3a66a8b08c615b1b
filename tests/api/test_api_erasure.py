"""What a person may ask for: all that is known of them, and that it goes."""

import json

import pytest

from customers.erased import request_erasure
from dam.export import parts_of_export
from tests.api.world import World, make_offer


def erase(world: World, who: str = "ann") -> dict[str, object]:
    client = world.as_ann if who == "ann" else world.as_operator
    answer = client.post(f"/v1/customers/{world.ann.customer_id}/erasure", headers=world.key())
    assert answer.status_code == 200, answer.text
    done: dict[str, object] = answer.json()
    return done


@pytest.mark.parametrize("who", ["ann", "operator"])
def test_an_export_has_a_list_of_every_kind_of_thing_and_is_the_same_each_time(world: World, who: str) -> None:
    offer, ann = make_offer(world), world.ann.customer_id
    client = world.as_ann if who == "ann" else world.as_operator
    answer = client.get(f"/v1/customers/{ann}/export")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert (told["form"], told["customer_ids"]) == ("millpond-person-1", [ann])
    assert list(told["parts"]) == [part.name for part in parts_of_export()]
    assert [row["name"] for row in told["parts"]["profile"]] == ["Ann"]
    assert [row["serial"] for row in told["parts"]["devices"]] == ["AIR-1"]
    assert [row["offer_id"] for row in told["parts"]["offers"]] == [offer.offer_id]
    assert len(told["parts"]["decisions"]) >= 1
    assert len(told["parts"]["reading_days"]) > 100
    again = client.get(f"/v1/customers/{ann}/export").json()
    assert again["parts"] | {"looks": []} == told["parts"] | {"looks": []}
    assert world.ben.customer_id not in answer.text
    actions = [entry["action"] for entry in world.as_operator.get(f"/v1/audit?customer_id={ann}").json()["items"]]
    assert actions.count("exported") == 2


def test_whoever_is_erased_is_told_what_went_and_is_nobody_from_then_on(world: World) -> None:
    make_offer(world)
    done = erase(world)
    removed = done["removed"]
    assert isinstance(removed, dict)
    assert removed["customer"] == 1
    assert removed.keys() >= {"offer", "decision", "device_owner"}
    assert world.as_ann.get(f"/v1/customers/{world.ann.customer_id}/offers").status_code == 404
    assert world.as_ann.get("/v1/devices").json()["items"] == []
    assert world.as_operator.get(f"/v1/customers/{world.ann.customer_id}/export").status_code == 404
    assert world.as_operator.get("/v1/devices/AIR-1").json()["customer_id"] is None
    assert "Ann" not in world.as_operator.get("/v1/customers").text


def test_asked_again_by_whomever_the_answer_is_the_same(world: World) -> None:
    first = erase(world)
    assert erase(world) == first
    assert erase(world, "operator") == first
    by_ben = world.as_ben.post(f"/v1/customers/{world.ann.customer_id}/erasure", headers=world.key())
    assert by_ben.status_code == 404
    erased = [entry for entry in world.as_operator.get("/v1/audit").json()["items"] if entry["action"] == "erased"]
    assert [(entry["actor"], entry["customer_id"]) for entry in erased] == [
        (f"customer:{world.ann.customer_id}", world.ann.customer_id)
    ]


def test_one_that_was_asked_for_and_stopped_is_finished_by_whoever_asks_next(world: World) -> None:
    with world.connect() as conn:
        request_erasure(conn, world.ann.customer_id, actor="operator:ops", at=world.clock.at)
    assert json.dumps(erase(world, "operator")["removed"]).find("device_owner") > 0
