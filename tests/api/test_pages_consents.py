"""The customer's page of consents: one tap each, in the words that count, by keyboard and on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from api.web.words import load_words
from customers.consent import select_said, select_standings
from customers.nouns import Purpose
from millpond.kernel.settings import Settings
from millpond.services import serving
from tests.api.test_api_consents import put
from tests.api.world import ABROAD, SECRET, World, make_offer
from tests.browser import open_browser, open_page

PHONE = {"viewport": {"width": 390, "height": 844}}
GPC = {"Sec-GPC": "1"}


def holds(world: World, purpose: Purpose) -> bool:
    with world.connect() as conn:
        standings = select_standings(conn, world.ann.customer_id, world.clock.at)
    return next(each.holds for each in standings if each.purpose is purpose)


def post(world: World, path: str, data: dict[str, Any], headers: dict[str, str] | None = None) -> int:
    browser = world.browser("customer", world.ann.customer_id)
    return int(browser.post(f"/me/consents/{path}", data=data | world_key(world), headers=headers or {}).status_code)


def world_key(world: World) -> dict[str, str]:
    return {"key": world.fresh_key()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def address(world: World) -> Iterator[str]:
    settings = Settings(database_url=SecretStr(world.dsn), jwt_secret=SecretStr(SECRET), http_port=0)
    with serving(settings, world.clock) as served:
        yield served


@pytest.mark.browser
def test_a_switch_is_one_tap_and_one_key_and_says_what_it_is(world: World, browser: Browser, address: str) -> None:
    page, errors = open_page(browser, **PHONE)
    token = world.token("customer", world.ann.customer_id)
    page.context.add_cookies([{"name": "millpond_session", "value": token, "url": address}])
    page.goto(f"{address}/me/consents")
    switch = page.get_by_role("switch", name="Offers by e-mail")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    assert holds(world, Purpose.MARKETING_EMAIL)
    expect(switch).to_be_focused()
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    assert not holds(world, Purpose.MARKETING_EMAIL)
    page.get_by_role("button", name="Turn all off").click()
    expect(page.get_by_role("switch", checked=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Turn all off")).to_have_count(0)
    assert not holds(world, Purpose.PERSONALISATION)
    assert errors == []


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_the_page_shows_every_purpose_in_its_words_of_now(still_world: World, language: str) -> None:
    page = still_world.browser("customer", still_world.ann.customer_id).get(f"/me/consents?lang={language}").text
    words = load_words(language)
    with still_world.connect() as conn:
        standings = select_standings(conn, still_world.ann.customer_id, still_world.clock.at)
    assert [each.purpose for each in standings] == list(Purpose)
    for each in standings:
        assert words[f"purpose_{each.purpose}"] in page
        assert each.words[language] in page
        assert each.uses is not None
        assert each.uses[language] in page


def test_a_page_without_script_does_the_same_and_keeps_where_and_in_which_language_it_was_said(world: World) -> None:
    assert post(world, "research?lang=ko", {"given": "true", "version": "1"}) == 303
    assert holds(world, Purpose.RESEARCH)
    with world.connect() as conn:
        [said] = select_said(conn, world.ann.customer_id, limit=1)
        [(evidence,)] = conn.execute("select evidence from consent where consent_id = %s", [said.consent_id]).fetchall()
    assert (said.source, said.given, evidence["language"]) == ("web", True, "ko")
    assert evidence["request"].startswith("req_")


def test_nothing_is_said_by_a_form_of_another_site_or_to_words_that_changed(world: World) -> None:
    assert post(world, "research", {"given": "true", "version": "1"}, headers=ABROAD) == 403
    assert post(world, "research", {"given": "true", "version": "9"}) == 409
    assert post(world, "everything", {"given": "true", "version": "1"}) == 404
    assert not holds(world, Purpose.RESEARCH)


def test_the_page_shows_what_is_for_everybody_to_who_asks_and_to_who_withdrew(world: World) -> None:
    make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    assert "offer-off_" in browser.get("/me").text
    general = browser.get("/me?personalised=false").text
    assert load_words("en")["everybodys_lead"] in general
    assert "offer-off_" not in general
    put(world, "personalisation", {"given": False})
    assert load_words("en")["everybodys_lead"] in browser.get("/me").text


def test_a_browsers_signal_is_kept_as_a_no_of_who_never_said_a_word(world: World) -> None:
    make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    assert load_words("en")["everybodys_lead"] in browser.get("/me", headers=GPC).text
    browser.get("/me", headers=GPC)
    with world.connect() as conn:
        said = [(each.purpose, each.given, each.source) for each in select_said(conn, world.ann.customer_id)]
    assert [each for each in said if each[2] == "gpc"] == [(Purpose.PERSONALISATION, False, "gpc")]
    assert load_words("en")["everybodys_lead"] in browser.get("/me").text
    assert load_words("en")["consents_signal"] in browser.get("/me/consents", headers=GPC).text


def test_a_browsers_signal_overrules_no_word_of_the_customer_and_counts_while_it_is_sent(world: World) -> None:
    make_offer(world)
    put(world, "personalisation", {"given": True})
    browser = world.browser("customer", world.ann.customer_id)
    assert "offer-off_" not in browser.get("/me", headers=GPC).text
    assert holds(world, Purpose.PERSONALISATION)
    assert "offer-off_" in browser.get("/me").text


def test_an_interest_that_is_struck_out_is_shown_no_more_and_may_count_again(world: World) -> None:
    with world.connect() as conn:
        conn.execute(
            "insert into segment_model (kind, at, made_at, customers, parameters, scores, body)"
            " values ('propensity', %(at)s, %(at)s, 1, '{}', '{}', '')",
            {"at": world.clock.at},
        )
        conn.execute(
            "insert into category_propensity (customer_id, category, model_id, at, propensity)"
            " select %s, 'air_purifier', model_id, %s, 0.4 from segment_model",
            [world.ann.customer_id, world.clock.at],
        )
    browser = world.browser("customer", world.ann.customer_id)
    assert "Strike out air purifier" in browser.get("/me/consents").text
    assert post(world, "tags", {"tag": "air_purifier", "counts": "false"}) == 303
    shown = browser.get("/me/consents").text
    assert "Strike out air purifier" not in shown
    assert "Let air purifier count again" in shown
    assert post(world, "tags", {"tag": "air_purifier", "counts": "true"}) == 303
    assert "Strike out air purifier" in browser.get("/me/consents").text
    put(world, "personalisation", {"given": False})
    assert "air purifier" not in browser.get("/me/consents").text
