"""A customer's page tells by the tracking API what is seen and clicked there, unless they object."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from pydantic import SecretStr

from millpond.kernel.settings import Settings
from millpond.kernel.waiting import wait_until
from millpond.services import serving
from tests.api.world import SECRET, World, make_offer
from tests.browser import open_browser, open_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def told(world: World) -> list[tuple[str, str | None, int | None]]:
    with world.connect() as conn:
        return conn.execute(
            "select call || ' ' || name, properties ->> 'decision_id', (properties -> 'position')::int"
            " from event order by 1"
        ).fetchall()


def test_what_is_seen_and_put_away_is_told_with_its_decision(world: World, browser: Browser) -> None:
    offer = make_offer(world)
    settings = Settings(database_url=SecretStr(world.dsn), jwt_secret=SecretStr(SECRET), http_port=0)
    with serving(settings, world.clock) as address:
        page, errors = open_page(browser)
        token = world.token("customer", world.ann.customer_id)
        page.context.add_cookies([{"name": "millpond_session", "value": token, "url": address}])
        page.goto(address + "/me")
        wait_until(lambda: len(told(world)) == 2, "the page and its offer to be told", timeout_s=30)
        page.locator("[data-dismisses]").click()
        wait_until(lambda: len(told(world)) == 3, "the dismissal to be told", timeout_s=30)
        assert errors == []
    of_offer = (offer.decision_id, 0)
    assert told(world) == [
        ("page Home", None, None),
        ("track Offer Dismissed", *of_offer),
        ("track Offer Shown", *of_offer),
    ]


def test_who_objects_is_shown_a_page_that_tells_nothing(world: World) -> None:
    ann, own = world.browser("customer", world.ann.customer_id), f"/v1/customers/{world.ann.customer_id}/consents"
    assert "events.js" in ann.get("/me").text
    said = world.as_ann.put(f"{own}/personalisation", json={"given": False}, headers=world.key())
    assert said.status_code == 200
    assert "events.js" not in ann.get("/me").text


def test_the_signal_of_a_browser_is_enough_of_an_objection(world: World) -> None:
    ann = world.browser("customer", world.ann.customer_id)
    assert "events.js" not in ann.get("/me", headers={"Sec-GPC": "1"}).text
