"""The staff member's page: customers' offers in words meant for staff."""

import re

from tests.api.world import World, make_offer


def test_a_customers_offer_is_named_in_words_meant_for_staff(world: World) -> None:
    make_offer(world)
    page = world.browser("staff", world.mina.staff_id).get("/staff").text
    [offer] = re.findall(r'<div class="mini-offer">.*?</div>', page, re.DOTALL)
    assert "HEPA filter H13 for Reed Air 2" in offer
    assert "€35.91" in offer
    assert re.search(r"until \d+ March", offer)
    for word in ("your", "Your", "Reply by"):
        assert word not in offer


def test_an_offer_ends_on_the_same_day_for_its_customer_and_for_staff_further_east(world: World) -> None:
    make_offer(world)
    with world.connect() as conn:
        conn.execute("update store set time_zone = 'Asia/Seoul' where store_id = %s", [world.mina.store_id])
    hers = world.browser("customer", world.ann.customer_id).get("/me").text
    mine = world.browser("staff", world.mina.staff_id).get("/staff").text
    [told] = re.findall(r"(?:Reply by|open until) \w+ (\d+ \w+)", hers)
    assert re.findall(r"until (\d+ \w+)", mine) == [told]
