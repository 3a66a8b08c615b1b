"""What is shown to everybody alike, beside what is chosen for one; and a browser that asks not to be profiled."""

from typing import Any

import pytest

from api.app import create_app
from customers.nouns import Purpose
from tests.api.test_api_consents import put
from tests.api.world import World, make_offer

GPC = {"Sec-GPC": "1"}


def feed(
    world: World, *, query: str = "", headers: dict[str, str] | None = None, who: str = "as_ann"
) -> dict[str, Any]:
    whose = world.ben if who == "as_ben" else world.ann
    answer = getattr(world, who).get(f"/v1/customers/{whose.customer_id}/offers{query}", headers=headers or {})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def reprice(world: World) -> None:
    """A soundbar costs less since this moment."""
    with world.connect() as conn:
        values = {"at": world.clock.at, "sku": "REED-SOUNDBAR-3"}
        with conn.transaction():
            conn.execute("update product_price set valid_until = %(at)s where sku = %(sku)s", values)
            conn.execute("insert into product_price values (%(sku)s, 14900, 'EUR', %(at)s)", values)


def test_beside_the_personal_feed_stands_one_that_is_the_same_for_everybody_of_a_language(world: World) -> None:
    make_offer(world)
    reprice(world)
    personal, general = feed(world), feed(world, query="?personalised=false")
    assert (personal["personalised"], general["personalised"]) == (True, False)
    assert [each["reason"]["code"] for each in personal["items"]] == ["depletion"]
    [sale] = [each for each in general["items"] if each["sku"] == "REED-SOUNDBAR-3"]
    assert (sale["price"]["amount_minor"], sale["list_price"]["amount_minor"]) == (14900, 17900)
    assert sale["reason"] == {
        "code": "on_sale",
        "why": "It costs less now: the lowest price of the 30 days before was €179.00.",
    }
    with world.connect() as conn:
        conn.execute("update customer set locale = 'en' where customer_id = %s", [world.ben.customer_id])
    assert feed(world, query="?personalised=false", who="as_ben") == general
    assert feed(world, query="?personalised=false&limit=1")["items"] == general["items"][:1]


def test_who_withdrew_personalisation_gets_what_everybody_does_whatever_they_ask_for(world: World) -> None:
    make_offer(world)
    reprice(world)
    general = feed(world, query="?personalised=false")
    put(world, "personalisation", {"given": False})
    assert feed(world) == feed(world, query="?personalised=true") == general
    put(world, "personalisation", {"given": True})
    assert feed(world) == {"items": [], "next_cursor": None, "personalised": True}


@pytest.mark.parametrize(("signal", "personalised"), [("1", False), ("0", True), ("true", True), ("", True)])
def test_a_request_with_the_signal_is_answered_by_nothing_of_the_person(
    world: World, signal: str, personalised: bool
) -> None:
    make_offer(world)
    assert feed(world, headers={"Sec-GPC": signal})["personalised"] is personalised


def test_the_signal_counts_for_its_request_also_of_who_said_yes(world: World) -> None:
    make_offer(world)
    put(world, "personalisation", {"given": True})
    assert feed(world, headers=GPC, query="?personalised=true")["personalised"] is False
    assert feed(world)["personalised"] is True


def test_browsers_are_told_that_the_signal_is_honoured(still_world: World) -> None:
    answer = still_world.client().get("/.well-known/gpc.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"gpc": True, "lastUpdate": "2026-11-28"}


def test_staff_see_what_is_offered_only_while_their_customer_agrees_to_be_contacted(world: World) -> None:
    make_offer(world)
    page = world.browser("staff", world.mina.staff_id)
    assert len(feed(world, who="as_mina")["items"]) == 1
    assert "mini-offer" in page.get("/staff").text
    put(world, Purpose.STAFF_CONTACT, {"given": False})
    assert feed(world, who="as_mina")["items"] == []
    shown = page.get("/staff").text
    assert "mini-offer" not in shown
    assert "They have not agreed that you contact them" in shown
    assert len(feed(world)["items"]) == 1


def test_what_is_found_for_everybody_is_kept_by_one_program_and_not_by_the_next(world: World) -> None:
    before = feed(world, query="?personalised=false")
    reprice(world)
    assert feed(world, query="?personalised=false") == before
    edge = world.app.state.edge
    app = create_app(edge.settings, clock=world.clock, read_pool=edge.reads, write_pool=edge.writes)
    object.__setattr__(world, "app", app)
    assert feed(world, query="?personalised=false") != before
