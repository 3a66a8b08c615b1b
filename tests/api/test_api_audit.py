"""Who works here and looks at a person is written down before they are answered; a customer at their own is not."""

from typing import Any

import pytest

from customers.audit.chain import verify_chain
from tests.api.world import World, make_offer


def entries(world: World, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.as_operator.get(f"/v1/audit{query}").json()["items"]
    return items


def told(world: World) -> list[tuple[str, str, str, str]]:
    """Who saw whom why by which call, oldest first."""
    return [
        (entry["actor"], entry["customer_id"], entry["because"], entry["detail"]["call"])
        for entry in reversed(entries(world))
        if entry["action"] == "saw"
    ]


def test_every_look_of_who_works_here_is_in_the_log_and_nobodys_own(world: World) -> None:
    offer, ann = make_offer(world), world.ann.customer_id
    for client in (world.as_ann, world.as_operator, world.as_mina):
        assert client.get(f"/v1/customers/{ann}/offers").status_code == 200
    assert world.as_operator.get(f"/v1/decisions/{offer.decision_id}").status_code == 200
    assert world.as_operator.get(f"/v1/customers/{ann}/timeline").status_code == 200
    mina = f"staff:{world.mina.staff_id}"
    assert told(world) == [
        ("operator:ops", ann, "operator", "GET /v1/customers/{customer_id}/offers"),
        (mina, ann, "bound_staff", "GET /v1/customers/{customer_id}/offers"),
        ("operator:ops", ann, "operator", "GET /v1/decisions/{decision_id}"),
        ("operator:ops", ann, "operator", "GET /v1/customers/{customer_id}/timeline"),
    ]
    with world.connect() as conn:
        assert verify_chain(conn).fault is None


def test_a_page_of_a_list_is_a_look_at_everybody_on_it(world: World) -> None:
    assert world.as_operator.get("/v1/customers?limit=1").status_code == 200
    assert len(told(world)) == 1
    assert world.as_operator.get("/v1/customers").status_code == 200
    both = {world.ann.customer_id, world.ben.customer_id}
    assert {customer_id for _, customer_id, *_ in told(world)[1:]} >= both


def test_who_is_refused_has_seen_nobody(world: World) -> None:
    assert world.as_noah.get(f"/v1/customers/{world.ann.customer_id}/offers").status_code == 404
    assert world.as_operator.get("/v1/customers/cus_nobody/offers").status_code == 404
    assert entries(world) == []


def test_what_cannot_be_written_down_is_not_shown(world: World) -> None:
    with world.connect() as conn:
        conn.execute("alter table audit_entry add constraint nothing_more check (number < 0) not valid")
    answer = world.as_operator.get(f"/v1/customers/{world.ann.customer_id}/binding")
    assert answer.status_code == 500
    assert world.mina.staff_id not in answer.text
    assert world.as_ann.get(f"/v1/customers/{world.ann.customer_id}/binding").status_code == 200


def test_a_hand_over_by_an_operator_is_in_the_log_and_one_by_the_customer_is_not(world: World) -> None:
    binding = world.as_ann.get(f"/v1/customers/{world.ann.customer_id}/binding").json()["binding_id"]
    body = {"to_staff_id": world.noah.staff_id, "reason": "she moved, says Ann"}
    assert (
        world.as_operator.post(f"/v1/bindings/{binding}/transfers", json=body, headers=world.key()).status_code == 201
    )
    [entry] = entries(world)
    assert (entry["action"], entry["actor"], entry["customer_id"]) == (
        "binding_transferred",
        "operator:ops",
        world.ann.customer_id,
    )
    assert "Ann" not in str(entry["detail"])


def test_the_log_is_paged_and_chosen_from(world: World) -> None:
    for client in (world.as_operator, world.as_operator, world.as_mina):
        client.get(f"/v1/customers/{world.ann.customer_id}/offers")
    world.as_operator.get(f"/v1/customers/{world.ben.customer_id}/offers")
    first = world.as_operator.get("/v1/audit?limit=3").json()
    assert [entry["number"] for entry in first["items"]] == [4, 3, 2]
    rest = world.as_operator.get(f"/v1/audit?limit=3&cursor={first['next_cursor']}").json()
    assert [entry["number"] for entry in rest["items"]] == [1]
    assert [entry["number"] for entry in entries(world, f"?customer_id={world.ben.customer_id}")] == [4]
    assert [entry["number"] for entry in entries(world, f"?actor=staff:{world.mina.staff_id}")] == [3]


@pytest.mark.parametrize("query", ["", "?customer_id=nobody"])
def test_operators_read_the_log_on_a_page_with_the_head_to_note(world: World, query: str) -> None:
    world.as_operator.get(f"/v1/customers/{world.ann.customer_id}/offers")
    page = world.browser("operator", "ops").get(f"/ops/audit{query}").text
    assert f"1:{entries(world)[0]['digest']}" in page
    assert (world.ann.customer_id in page) == (query == "")
