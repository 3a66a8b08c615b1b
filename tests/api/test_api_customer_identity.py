"""A person by API: by what they are known, links and merges by hand, and every look and change in the audit log."""

from datetime import timedelta
from typing import Any

from customers.accounts import register_customer
from customers.audit.entries import select_entries
from tests.api.world import NOW, World
from tests.sales import SOUNDBAR


def at(world: World, *more: str) -> str:
    return "/".join([f"/v1/customers/{world.ann.customer_id}", *more])


def old_account(world: World) -> str:
    """An account that Ann had before, with an order."""
    with world.connect() as conn:
        old = register_customer(conn, name="A.", external_key="CRM-1", at=NOW).customer_id
    sale = {"customer_id": old, "channel": "app", "currency": "EUR", "items": [{"sku": SOUNDBAR.sku}]}
    assert world.as_operator.post("/v1/orders", json=sale, headers=world.key()).status_code == 201
    return old


def write(world: World, address: str, body: dict[str, Any] | None = None) -> Any:
    return world.as_operator.post(address, json=body, headers=world.key())


def actions(world: World) -> list[tuple[str, str, str | None, str]]:
    with world.connect() as conn:
        return [(e.actor.partition(":")[0], e.action, e.customer_id, e.because) for e in select_entries(conn)]


def test_an_operator_links_a_card_and_everybody_is_told_what_their_reason_needs(world: World) -> None:
    made = write(world, at(world, "identifiers"), {"namespace": "card", "value": "M-20417"})
    assert made.status_code == 201
    by_card = {"namespace": "card", "key": "M-20417", "because": "by_hand"}
    for client in (world.as_ann, world.as_operator):
        told = client.get(at(world)).json()
        assert told["customer"]["name"] == "Ann"
        assert by_card.items() <= next(i for i in told["identifiers"] if i["namespace"] == "card").items()
    assert world.as_mina.get(at(world)).json()["identifiers"] == []
    assert world.as_ben.get(at(world)).status_code == 404
    ann = world.ann.customer_id
    assert [each for each in actions(world) if each[1] == "linked"] == [("operator", "linked", ann, "operator")]
    assert {who for who, what, whose, _ in actions(world) if (what, whose) == ("looked", ann)} == {"staff", "operator"}


def test_a_name_of_somebody_else_or_of_nobody_is_refused_with_what_to_do(world: World) -> None:
    body = {"namespace": "card", "value": "M-1"}
    assert write(world, f"/v1/customers/{world.ben.customer_id}/identifiers", body).status_code == 201
    taken, nobodys = (
        write(world, at(world, "identifiers"), {"namespace": "card", "value": value}) for value in ("M-1", "none")
    )
    assert (taken.status_code, nobodys.status_code) == (409, 409)
    assert "merge the two if they are one" in taken.json()["detail"]
    assert "nobody's" in nobodys.json()["detail"]
    unhashed = write(world, at(world, "identifiers"), {"namespace": "email", "value": "not an e-mail"})
    assert unhashed.status_code == 422


def test_a_merge_brings_the_orders_of_the_one_to_the_other_and_an_undo_takes_them_back(world: World) -> None:
    old = old_account(world)
    token = world.client("customer", old)
    assert world.as_ann.get("/v1/orders").json()["items"] == []
    merge = write(world, at(world, "merges"), {"absorbs": "CRM-1", "evidence": "showed both cards"})
    assert merge.status_code == 201
    assert (merge.json()["absorbed"], merge.json()["survivor"]) == (old, world.ann.customer_id)
    for client in (world.as_ann, token):
        [order] = client.get("/v1/orders").json()["items"]
        assert order["customer_id"] == world.ann.customer_id
    undone = write(world, f"/v1/merges/{merge.json()['merge_id']}/undo")
    assert undone.json()["undone_by"].startswith("operator:")
    # Another token: whom one proves is remembered for a while.
    world.clock.at += timedelta(minutes=1)
    token = world.client("customer", old)
    assert world.as_ann.get("/v1/orders").json()["items"] == []
    [order] = token.get("/v1/orders").json()["items"]
    assert order["customer_id"] == old
    assert [entry[1:3] for entry in actions(world)] == [
        ("parted", old),
        ("parted", world.ann.customer_id),
        ("merged", old),
        ("merged", world.ann.customer_id),
    ]


def test_a_merge_with_oneself_twice_or_undone_twice_has_one_clear_answer(world: World) -> None:
    old = old_account(world)
    itself = write(world, at(world, "merges"), {"absorbs": world.ann.customer_id})
    assert (itself.status_code, "with themselves" in itself.json()["detail"]) == (422, True)
    merge = write(world, at(world, "merges"), {"absorbs": old}).json()
    # Whoever was absorbed is Ann by now.
    assert write(world, at(world, "merges"), {"absorbs": old}).status_code == 422
    undo = f"/v1/merges/{merge['merge_id']}/undo"
    assert (write(world, undo).status_code, write(world, undo).status_code) == (200, 409)
    assert write(world, "/v1/merges/mrg_none/undo").status_code == 404
