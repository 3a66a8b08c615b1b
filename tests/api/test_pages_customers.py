"""A person's page for operators: found by name or key, with their journey across all channels."""

from html import unescape

import pytest

from api.web.words import load_words
from customers.identifiers import add_identifier
from customers.nouns import Namespace
from events.nouns import SourceKind
from events.sources import register_source
from events.store import store_events
from millpond.kernel.db import connect
from millpond.kernel.language import LANGUAGES
from tests.api.world import HOSTILE, NOW, World, make_offer
from tests.events.test_events_store import make_event


def browse(world: World) -> None:
    with connect(world.dsn) as conn:
        source = register_source(conn, name="Site", kind=SourceKind.WEB, at=NOW)
        add_identifier(conn, world.ann.customer_id, Namespace.ANONYMOUS, HOSTILE, at=NOW)
        store_events(conn, source, [make_event("m-1", anonymous_id=HOSTILE, at=NOW)], at=NOW)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_story_across_channels_is_on_one_page_in_every_language(world: World, language: str) -> None:
    make_offer(world)
    browse(world)
    words = load_words(language)
    page = world.browser("operator", "ops").get(f"/ops/customers/{world.ann.customer_id}?lang={language}").text
    assert HOSTILE not in page
    text = unescape(page)
    for kind in ("kind_event", "kind_offer", "kind_binding", "kind_device"):
        assert f"{words[kind]}: " in text
    assert "Product Viewed" in text
    assert "AIR-1" in text
    alone = (
        world.browser("operator", "ops").get(f"/ops/customers/{world.ann.customer_id}?only=event&lang={language}").text
    )
    assert f"{words['kind_event']}: " in alone
    assert f"{words['kind_offer']}: " not in alone


def test_customers_are_found_by_how_their_name_begins_and_by_their_key(world: World) -> None:
    browser = world.browser("operator", "ops")
    with connect(world.dsn) as conn:
        add_identifier(conn, world.ann.customer_id, Namespace.CARD, "700123", at=NOW)
    link = f"/ops/customers/{world.ann.customer_id}"
    for asked in (world.ann.name[:2].lower(), "700123", world.ann.customer_id):
        assert link in browser.get("/ops/customers", params={"q": asked}).text
    for asked in ("%", "_", "70012", "zzz"):
        assert link not in browser.get("/ops/customers", params={"q": asked}).text


def test_the_staff_member_who_looks_after_somebody_sees_no_clicks_of_theirs(world: World) -> None:
    make_offer(world)
    browse(world)
    path = f"/v1/customers/{world.ann.customer_id}/timeline"
    kinds = {
        role: {item["kind"] for item in world.client(role, subject).get(path).json()["items"]}
        for role, subject in (("customer", world.ann.customer_id), ("staff", world.mina.staff_id))
    }
    assert "event" in kinds["customer"]
    assert "offer" in kinds["staff"]
    assert kinds["staff"] <= {"order", "refund", "offer", "binding", "device"}
