"""What a customer answers on a page: to an offer and to a staff member's code, and that only a form of ours may."""

import re
from html import unescape

import pytest

from api.web.words import load_words
from attribution.tokens import issue_badge_token
from tests.api.world import ABROAD, HOSTILE, World, make_offer


def hidden_key(page: str) -> str:
    match = re.search(r'name="key" value="(form_\w+)"', page)
    assert match is not None
    return match[1]


def test_accepting_in_the_page_shows_the_order_number_once_and_again(world: World) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    form = {"key": hidden_key(browser.get("/me").text)}
    address = f"/me/offers/{offer.offer_id}/accept"
    first = browser.post(address, data=form, headers={"HX-Request": "true", "Sec-Fetch-Site": "same-origin"})
    again = browser.post(address, data=form, headers={"HX-Request": "true", "Sec-Fetch-Site": "same-origin"})
    numbers = [re.findall(r"ord_\w{20}", answer.text)[0] for answer in (first, again)]
    assert numbers[0] == numbers[1]
    page = browser.get("/me").text
    assert numbers[0] in page
    assert load_words("en")["no_offers"] in unescape(page)


def test_accepting_without_htmx_leads_to_the_orders(world: World) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/me#orders")


def test_declining_in_the_page(world: World) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    answer = browser.post(f"/me/offers/{offer.offer_id}/decline", data={"key": "k1"}, headers={"HX-Request": "true"})
    assert load_words("en")["declined"] in answer.text
    late = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k2"}, headers={"HX-Request": "true"})
    assert late.status_code == 409
    assert 'role="alert"' in late.text


@pytest.mark.parametrize("headers", [ABROAD, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_from_another_site_is_refused(world: World, headers: dict[str, str]) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k"}, headers=headers)
    assert answer.status_code == 403
    assert browser.get("/me").text.count("/accept") == 2


def test_a_form_without_its_key_is_refused(world: World) -> None:
    offer = make_offer(world)
    answer = world.browser("customer", world.ann.customer_id).post(f"/me/offers/{offer.offer_id}/accept")
    assert answer.status_code == 400


def test_the_code_page_asks_and_binds(world: World) -> None:
    token = issue_badge_token(world.keys, world.mina)
    nobody = world.client().get(f"/scan?token={token}")
    assert "Mina" in nobody.text
    assert "/sign-in?next=%2Fscan%3Ftoken%3D" in nobody.text
    ben = world.browser("customer", world.ben.customer_id)
    form = {"token": token, "key": hidden_key(ben.get(f"/scan?token={token}").text)}
    assert load_words("ko")["scan_done"] in ben.post("/scan", data=form).text
    assert load_words("ko")["scan_already"] in ben.post("/scan", data=form | {"key": "other"}).text
    assert "Mina" in ben.get("/me").text


def test_a_code_that_is_not_ours_says_so_on_its_page(still_world: World) -> None:
    answer = still_world.client().get(f"/scan?token={HOSTILE}")
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
