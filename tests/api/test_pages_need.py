"""What the customer's page says of a need: how urgent it is, and that what was ordered is on its way."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from importlib.resources import files
from itertools import pairwise

import pytest

from api.web.urgency import Urgency, urgency_of
from api.web.words import load_words
from millpond.kernel.language import LANGUAGES
from tests.api.world import World, make_offer, use_up

HTMX = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
LEVELS = ("good", "soon", "due", "used_up")
GROUNDS = {
    "good": ("water", "water-soft"),
    "soon": ("soon", "soon-soft"),
    "due": ("due", "due-soft"),
    "used_up": ("surface", "used-up"),
}


@pytest.mark.parametrize(
    ("remaining", "urgency"),
    [(None, None), (0, "used_up"), (0.4, "used_up"), (9, "due"), (10, "due"), (20, "soon"), (25, "soon"), (81, "good")],
)
def test_urgency_follows_from_what_is_left(remaining: float | None, urgency: str | None) -> None:
    assert urgency_of(remaining, 10) == urgency


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_urgency_has_a_word_and_a_colour_of_its_own_on_the_page(world: World, language: str) -> None:
    words = load_words(language)
    told = {}
    for hours, level in ((5.5, "good"), (23, "soon"), (26.5, "due"), (31, "used_up")):
        with world.connect() as conn:
            conn.execute("delete from reading")
        use_up(world, hours_a_day=hours)
        with world.connect() as conn:
            conn.execute("call refresh_reading_day()")
        page = world.browser("customer", world.ann.customer_id).get(f"/me?lang={language}").text
        assert f'<div class="ring {level}"' in page
        [told[level]] = re.findall(rf'<span class="level {level}">(.+?)</span>', page)
    assert list(told.values()) == [words[f"level_{level}"] for level in LEVELS]
    assert len(set(told.values())) == 4


def test_every_colour_of_urgency_can_be_read_in_both_schemes() -> None:
    for scheme in colour_schemes():
        for ink, ground in GROUNDS.values():
            assert contrast(scheme[ink], scheme[ground]) >= 4.5, (ink, ground)
        rings = [scheme[name] for name in ("water", "soon", "due", "used-up")]
        assert all(contrast(ring, scheme["surface"]) >= 4.5 for ring in rings)
        assert len(set(rings)) == len(Urgency)


@pytest.mark.parametrize(
    ("language", "way", "home"),
    [
        ("en", "A new one is on its way and arrives around 5 March.", "You have a new one at home."),
        ("ko", "새 제품이 오고 있으며 3월 5일쯤 도착합니다.", "새 제품을 이미 갖고 계십니다."),
        ("zh", "新的已在路上，预计 3月5日左右送达。", "您家里已有一件新的。"),
    ],
)
def test_after_an_order_the_page_says_that_it_is_on_its_way_and_when_it_arrives(
    world: World, language: str, way: str, home: str
) -> None:
    offer = make_offer(world)
    browser = world.browser("customer", world.ann.customer_id)
    assert way not in browser.get(f"/me?lang={language}").text
    address = f"/me/offers/{offer.offer_id}/accept"
    answer = browser.post(address, data={"key": "k1"}, headers=HTMX).text
    arrives = load_words(language)["arrives"].format(date=day(language))
    assert answer.count(arrives) == 2, "in the offer's place, and among the orders"
    page = unescape(browser.get("/me").text)
    assert way in page
    assert arrives in page
    world.clock.at += timedelta(days=3)
    later = unescape(world.browser("customer", world.ann.customer_id).get(f"/me?lang={language}").text)
    assert home in later
    assert way not in later
    assert arrives not in later


def test_what_was_bought_in_a_shop_is_at_home_at_once_and_what_was_given_back_is_not(world: World) -> None:
    use_up(world)
    sale = {
        "customer_id": world.ann.customer_id,
        "channel": "store",
        "store_id": world.harbour.store_id,
        "items": [{"sku": "REED-HEPA-H13", "quantity": 1}],
        "currency": "EUR",
    }
    order = world.as_operator.post("/v1/orders", json=sale, headers=world.key()).json()
    browser = world.browser("customer", world.ann.customer_id)
    page = browser.get("/me").text
    assert load_words("en")["at_home"] in page
    assert "On its way" not in page
    refund = {"amount": order["amount"], "reason": "it was the wrong one"}
    answer = world.as_operator.post(f"/v1/orders/{order['order_id']}/refunds", json=refund, headers=world.key())
    assert answer.status_code == 201, answer.text
    assert load_words("en")["at_home"] not in browser.get("/me").text


@pytest.mark.parametrize("language", ["ko", "zh"])
def test_what_went_wrong_is_told_in_the_readers_language(still_world: World, language: str) -> None:
    browser = still_world.browser("customer", still_world.ann.customer_id)
    words = load_words(language)
    page = browser.get(f"/nothing-here?lang={language}")
    assert page.status_code == 404
    assert words["problem_404"] in page.text
    card = browser.post(f"/me/offers/off_x/accept?lang={language}", data={"key": "k"}, headers=HTMX)
    assert words["problem_404"] in card.text
    assert 'lang="en">offer off_x is not known' in card.text


def day(language: str) -> str:
    return {"en": "5 March", "ko": "3월 5일", "zh": "3月5日"}[language]


def colour_schemes() -> Iterator[dict[str, str]]:
    """The style sheet's colours by name: the light scheme, then the dark one."""
    text = files("api.web").joinpath("static", "millpond.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in text.split(":root {")[1:3])
    yield light
    yield light | dark


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""
    pale, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (pale + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start:end], 16) / 255 for start, end in pairwise((1, 3, 5, 7))]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
