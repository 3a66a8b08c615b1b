"""The customer's page: what an answer changes on it, and in which language."""

from html import unescape

from api.web.words import load_words
from tests.api.house import House, make_offer

HTMX = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
ONE_YEAR = "max-age=31536000"


def test_an_accepted_offer_stands_among_the_orders_at_once(house: House) -> None:
    offer = make_offer(house)
    browser = house.browser("customer", house.ann.customer_id)
    assert load_words("en")["no_orders"] in unescape(browser.get("/me").text)
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"}, headers=HTMX).text
    card, orders = answer.split('<section id="orders"')
    assert 'hx-swap-oob="true"' in orders
    order = house.as_ann.get("/v1/orders").json()["items"][0]["order_id"]
    assert order in card
    assert order in orders
    assert load_words("en")["no_orders"] not in unescape(answer)
    page = browser.get("/me").text
    assert order in page
    assert "hx-swap-oob" not in page


def test_without_htmx_an_accepted_offer_leads_to_the_page_with_its_order(house: House) -> None:
    offer = make_offer(house)
    browser = house.browser("customer", house.ann.customer_id)
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"})
    assert answer.headers["location"] == "/me#orders"
    assert house.as_ann.get("/v1/orders").json()["items"][0]["order_id"] in browser.get("/me").text


def test_a_chosen_language_is_remembered_for_a_year_and_goes_before_the_accounts_own(house: House) -> None:
    offer = make_offer(house)
    browser = house.browser("customer", house.ann.customer_id)
    cookie = browser.get("/me?lang=ko").headers["set-cookie"].lower()
    assert all(word in cookie for word in ("millpond_language=ko", ONE_YEAR, "samesite=lax", "path=/"))
    assert '<html lang="ko"' in browser.get("/me").text
    korean = load_words("ko")
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"}, headers=HTMX).text
    assert korean["ordered"] in answer
    assert korean["orders"] in answer
    assert "헤파 필터 H13" in answer
    assert "HEPA filter" not in answer


def test_a_language_asked_for_while_signing_in_stays(still_house: House) -> None:
    browser = still_house.client()
    token = still_house.token("customer", still_house.ann.customer_id)
    cookies = browser.get(f"/sign-in?token={token}&lang=zh").headers.get_list("set-cookie")
    assert any("millpond_language=zh" in cookie for cookie in cookies)
    assert "millpond_language" not in str(browser.get("/sign-in?lang=xx").headers)
