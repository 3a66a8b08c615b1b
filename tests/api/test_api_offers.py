"""Offers and decisions over HTTP."""

import pytest

from offers.nouns import OfferState
from tests.api.world import World, make_offer
from tests.household import read_offer


def state_of(world: World, offer_id: str) -> OfferState:
    with world.connect() as conn:
        return read_offer(conn, offer_id).state


def test_an_offer_says_why_for_how_much_until_when_and_who_is_credited(world: World) -> None:
    make_offer(world)
    for client in (world.as_ann, world.as_mina, world.as_operator):
        (offer,) = client.get(f"/v1/customers/{world.ann.customer_id}/offers").json()["items"]
        assert (offer["list_price"]["amount_minor"], offer["price"]["amount_minor"]) == (3990, 3591)
        assert (offer["discount_bp"], offer["product"]) == (1000, "HEPA filter H13")
        assert (offer["credited_to"]["name"], offer["credited_to"]["store_name"]) == ("Mina", "Harbour")
        assert "Reed Air 2" in offer["reason"]["why"]
        assert offer["reason"]["code"] == "depletion"
        assert offer["reason"]["facts"]
        assert offer["valid_from"] <= offer["reply_by"] <= offer["valid_until"]


def test_offers_are_paged(world: World) -> None:
    make_offer(world)
    address = f"/v1/customers/{world.ann.customer_id}/offers"
    assert world.as_ann.get(f"{address}?limit=1").json()["next_cursor"] is None
    assert world.as_ann.get(f"{address}?cursor=WyJvZmZfZ29uZSJd").status_code == 422


def test_seen_then_accepted_gives_an_order_credited_to_the_bound_person(world: World) -> None:
    offer = make_offer(world)
    seen = world.as_ann.post(f"/v1/offers/{offer.offer_id}/seen", headers=world.key())
    assert (seen.status_code, seen.json()["state"]) == (200, "seen")
    accepted = world.as_ann.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key())
    assert accepted.status_code == 201
    order = accepted.json()["order"]
    assert (order["offer_id"], order["credited_to"], order["channel"]) == (offer.offer_id, world.mina.staff_id, "app")
    assert order["amount"] == {"amount_minor": 3591, "currency": "EUR"}
    assert state_of(world, offer.offer_id) is OfferState.ORDERED


def test_an_offer_is_accepted_once(world: World) -> None:
    offer = make_offer(world)
    world.as_ann.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key())
    again = world.as_ann.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key())
    assert again.status_code == 409


def test_a_declined_offer_is_gone(world: World) -> None:
    offer = make_offer(world)
    declined = world.as_ann.post(f"/v1/offers/{offer.offer_id}/decline", headers=world.key())
    assert (declined.status_code, declined.json()["state"]) == (200, "declined")
    assert world.as_ann.get(f"/v1/customers/{world.ann.customer_id}/offers").json()["items"] == []


def test_buying_it_elsewhere_withdraws_the_offer(world: World) -> None:
    offer = make_offer(world)
    order = {"channel": "web", "currency": "EUR", "items": [{"sku": "REED-HEPA-H13"}]}
    world.as_ann.post("/v1/orders", json=order, headers=world.key())
    assert state_of(world, offer.offer_id) is OfferState.WITHDRAWN


@pytest.mark.parametrize(("who", "sees_rules"), [("as_operator", True), ("as_ann", False)])
def test_a_decision_in_rules_for_operators_and_in_words_for_the_customer(
    world: World, who: str, sees_rules: bool
) -> None:
    offer = make_offer(world)
    decision = getattr(world, who).get(f"/v1/decisions/{offer.decision_id}").json()
    assert (decision["outcome"], decision["offer_id"]) == ("issued", offer.offer_id)
    assert decision["words"]
    assert bool(decision["gates"]) is bool(decision["candidates"]) is sees_rules
    assert (decision["times"], decision["last_at"]) == (1, decision["decided_at"])
    ranked = (decision["policy"], decision["propensity"], decision["place"] and decision["place"]["position"])
    assert ranked == (("rules-1", 1.0, 1) if sees_rules else (None, None, None))
    assert (decision["score"] is not None) is sees_rules


def test_operators_do_not_answer_for_customers(world: World) -> None:
    offer = make_offer(world)
    assert world.as_operator.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key()).status_code == 404
    assert state_of(world, offer.offer_id) is OfferState.OPEN
