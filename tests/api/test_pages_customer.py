"""The customer's page: what an answer changes on it, and in which language."""

import re
from datetime import timedelta
from html import unescape

import pytest

from api.web.words import load_words
from devices.parts.doubts import Doubt
from devices.store import upsert_device_status
from forecasting.job import run_forecasts
from forecasting.nouns import NoDate
from tests.api.world import NOW, START, World, make_offer, use_up

HTMX = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
ONE_YEAR = "max-age=31536000"


def test_an_accepted_offer_stands_among_the_orders_at_once(world: World) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    assert load_words("en")["no_orders"] in unescape(browser.get("/me").text)
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"}, headers=HTMX).text
    card, orders = answer.split('<section id="orders"')
    assert 'hx-swap-oob="true"' in orders
    order = world.as_ann.get("/v1/orders").json()["items"][0]["order_id"]
    assert order in card
    assert order in orders
    assert load_words("en")["no_orders"] not in unescape(answer)
    page = browser.get("/me").text
    assert order in page
    assert "hx-swap-oob" not in page


def test_without_htmx_an_accepted_offer_leads_to_the_page_with_its_order(world: World) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"})
    assert answer.headers["location"] == "/me#orders"
    assert world.as_ann.get("/v1/orders").json()["items"][0]["order_id"] in browser.get("/me").text


def test_a_chosen_language_is_remembered_for_a_year_and_goes_before_the_accounts_own(world: World) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    cookie = browser.get("/me?lang=ko").headers["set-cookie"].lower()
    assert all(word in cookie for word in ("millpond_language=ko", ONE_YEAR, "samesite=lax", "path=/"))
    assert '<html lang="ko"' in browser.get("/me").text
    korean = load_words("ko")
    answer = browser.post(f"/me/offers/{offer.offer_id}/accept", data={"key": "k1"}, headers=HTMX).text
    assert korean["ordered"] in answer
    assert korean["orders"] in answer
    assert "헤파 필터 H13" in answer
    assert "HEPA filter" not in answer


def test_a_language_asked_for_while_signing_in_stays(still_world: World) -> None:
    browser = still_world.client()
    token = still_world.token("customer", still_world.ann.customer_id)
    cookies = browser.get(f"/sign-in?token={token}&lang=zh").headers.get_list("set-cookie")
    assert any("millpond_language=zh" in cookie for cookie in cookies)
    assert "millpond_language" not in str(browser.get("/sign-in?lang=xx").headers)


@pytest.mark.parametrize(
    ("language", "today", "later"),
    [
        ("en", "last heard of today, 10:00", "last heard of 2 March"),
        ("ko", "마지막 연결 오늘 10:00", "마지막 연결 3월 2일"),
        ("zh", "最近连接 今天 10:00", "最近连接 3月2日"),
    ],
)
def test_a_device_without_status_is_not_called_online_but_says_when_it_was_heard_of(
    world: World, language: str, today: str, later: str
) -> None:
    words, browser = load_words(language), world.browser("customer", world.ann.customer_id)
    assert words["never_heard"] in browser.get(f"/me?lang={language}").text
    use_up(world)
    page = browser.get("/me").text
    assert today in page
    assert words["online"] not in page
    world.clock.at += timedelta(days=1)
    browser = world.browser("customer", world.ann.customer_id)
    assert later in browser.get(f"/me?lang={language}").text


@pytest.mark.parametrize("state", ["online", "offline"])
def test_a_device_that_said_whether_it_is_online_shows_it(world: World, state: str) -> None:
    with world.connect() as conn:
        upsert_device_status(conn, world.purifier.device_id, state="online", session="s", at=START)
        upsert_device_status(conn, world.purifier.device_id, state=state, session="s", at=NOW)
    page = world.browser("customer", world.ann.customer_id).get("/me").text
    assert f'<span class="state {state}" >{state}</span>' in page


def test_an_offer_says_its_price_and_its_end_once(world: World) -> None:
    make_offer(world)
    page = world.browser("customer", world.ann.customer_id).get("/me").text
    [card] = re.findall(r'<article class="card offer".*?</article>', page, re.DOTALL)
    assert card.count("€35.91") == 1
    assert card.count("€39.90") == 1
    assert card.count("9 March") == 1
    assert "Mina of Harbour has looked after you since" in unescape(page)


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_why_there_is_no_date_is_told_in_the_customers_words(world: World, language: str) -> None:
    use_up(world)
    browser = world.browser("customer", world.ann.customer_id)
    words = load_words(language)
    for code in (*Doubt, *NoDate):
        with world.connect() as conn:
            run_forecasts(conn, NOW, made_at=NOW, forecaster="fixed")
            conn.execute(
                "update depletion_forecast set depletes_p10 = null, depletes_p50 = null, depletes_p90 = null,"
                " remaining_pct = 0, reason = 'odd', reason_code = %s",
                [code],
            )
        browser.get(f"/me?lang={language}")
        page = unescape(browser.get("/me").text)
        assert words[f"why_{code}"] in page, code
        assert words["due_now"] not in page


def test_the_code_of_a_missing_date_is_told_to_programs(world: World) -> None:
    use_up(world, hours_a_day=60.0)
    with world.connect() as conn:
        run_forecasts(conn, NOW, made_at=NOW, forecaster="fixed")
    [found] = world.as_ann.get("/v1/devices/AIR-1/forecasts").json()["items"]
    assert (found["reason_code"], found["depletes_p50"]) == ("counter_outruns_time", None)
