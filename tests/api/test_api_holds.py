"""Commission that waits for an operator, over HTTP and on the operator's page."""

import re
from datetime import timedelta
from typing import Any

from attribution.release import release_commissions
from tests.api.world import World

TILL = {"channel": "store", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3"}]}


def sell_to_own(world: World, **more: object) -> str:
    """Mina sells to Ann, who is hers: the order's id."""
    order = TILL | {"customer_id": world.ann.customer_id} | more
    answer = world.as_mina.post("/v1/orders", json=order, headers=world.key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["order_id"])


def waiting(world: World, more: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.as_operator.get(f"/v1/commission-holds{more}").json()["items"]
    return items


def payable(world: World) -> int:
    """What Mina can be paid after the return window, in cents."""
    with world.connect() as conn:
        release_commissions(conn, world.clock.at + timedelta(days=20))
    statement = world.as_mina.get(f"/v1/staff/{world.mina.staff_id}/statement?month=2026-03").json()
    return int(statement["totals"][0]["payable"]["amount_minor"])


def test_one_person_alone_earns_nothing_unseen(world: World) -> None:
    dear = {"items": [{"sku": "REED-TV-55", "quantity": 1000}] * 100}
    order_id = sell_to_own(world, **dear)
    [held] = waiting(world)
    assert (held["order_id"], held["reason"], held["decision"]) == (order_id, "self_credited", None)
    assert (held["sold_by"], held["credited_to"]) == (world.mina.staff_id, world.mina.staff_id)
    assert (held["amount"]["amount_minor"], held["earned"]["amount_minor"]) == (6_490_000_000, 194_700_000)
    assert payable(world) == 0


def test_a_customers_order_above_the_ceiling_of_the_settings_waits_too(world: World) -> None:
    order = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-TV-55", "quantity": 16}]}
    placed = world.as_ann.post("/v1/orders", json=order, headers=world.key()).json()
    assert [(hold["order_id"], hold["reason"]) for hold in waiting(world)] == [(placed["order_id"], "order_ceiling")]


def test_an_operator_approves_and_the_next_release_has_it(world: World) -> None:
    order_id = sell_to_own(world)
    address = f"/v1/commission-holds/{order_id}/approval"
    done = world.as_operator.post(address, json={"note": "seen"}, headers=world.key()).json()
    assert (done["decision"], done["decided_by"], done["note"]) == ("approved", "operator:ops", "seen")
    assert waiting(world) == []
    assert [hold["order_id"] for hold in waiting(world, "?decided=true")] == [order_id]
    assert world.as_operator.post(address, headers=world.key()).status_code == 409
    assert payable(world) == 537


def test_an_operator_rejects_and_the_statement_says_so(world: World) -> None:
    order_id = sell_to_own(world)
    statement = f"/v1/staff/{world.mina.staff_id}/statement?month=2026-03"
    assert [(line["held"], line["decision"]) for line in world.as_mina.get(statement).json()["lines"]] == [(True, None)]
    rejected = world.as_operator.post(f"/v1/commission-holds/{order_id}/rejection", headers=world.key())
    assert (rejected.status_code, rejected.json()["decision"]) == (200, "rejected")
    [line] = world.as_mina.get(statement).json()["lines"]
    assert (line["held"], line["decision"], line["clawed_back"]["amount_minor"]) == (False, "rejected", 537)
    assert payable(world) == 0


def test_holds_are_listed_page_by_page(world: World) -> None:
    placed = [sell_to_own(world) for _ in range(5)]
    first = world.as_operator.get("/v1/commission-holds?limit=3").json()
    rest = world.as_operator.get(f"/v1/commission-holds?limit=3&cursor={first['next_cursor']}").json()
    assert sorted(hold["order_id"] for hold in first["items"] + rest["items"]) == sorted(placed)
    assert rest["next_cursor"] is None


def test_the_operators_page_has_a_yes_and_a_no(world: World) -> None:
    yes, no = sell_to_own(world), sell_to_own(world)
    browser = world.browser("operator", "ops")
    assert "2 to look at" in browser.get("/ops").text
    page = browser.get("/ops/holds").text
    assert page.count("sold to their own customer") == 2
    for order_id, word in ((yes, "approved"), (no, "rejected")):
        [key] = re.findall(
            rf'action="/ops/holds/{order_id}/{word}"><input type="hidden" name="key" value="(\w+)"', page
        )
        done = browser.post(f"/ops/holds/{order_id}/{word}", data={"key": key})
        assert (done.status_code, done.headers["location"]) == (303, "/ops/holds")
    assert "Nothing waits for you." in browser.get("/ops/holds").text
    assert payable(world) == 537
    assert browser.post(f"/ops/holds/{yes}/paid", data={"key": "k"}).status_code == 404


def test_the_staff_page_says_what_waits(world: World) -> None:
    sell_to_own(world)
    assert "waits for a look" in world.browser("staff", world.mina.staff_id).get("/staff").text
