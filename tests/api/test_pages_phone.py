"""Every page on a phone of 390 px, in a browser: nothing is cut, and charts name each moment once."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page
from pydantic import SecretStr

from attribution.tokens import issue_badge_token
from millpond.kernel.jobs import claim_run, finish_run
from millpond.kernel.settings import Settings
from millpond.services import serving
from tests.api.unknowns import add_rule, let_speak, send_bad
from tests.api.world import NOW, SECRET, World, make_offer
from tests.browser import open_browser, open_page, shoot
from tests.dam.flows import make_dam

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
# What sticks out of the window, or out of a box that hides or scrolls what is too wide.
CUT = """() => [...document.querySelectorAll("main *")].filter((each) => {
  if (each.closest(".visually-hidden, .u-wrap, svg, thead, pre")) return false;
  const box = each.getBoundingClientRect();
  return box.right > innerWidth + 1 || (each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0
    && ["auto", "scroll", "hidden"].includes(getComputedStyle(each).overflowX));
}).map((each) => `${each.tagName}.${each.className} ${each.textContent.trim().slice(0, 60)}`)"""
LABELS = "() => document.querySelector('figure.chart').drawn.axes[0]._values.filter((label) => label)"
PAGES = (
    ("customer", "/me"),
    ("customer", "/me/consents"),
    ("customer", "/sign-in"),
    ("customer", "/docs"),
    ("staff", "/staff"),
    ("operator", "/ops"),
    ("operator", "/ops/fleet"),
    ("operator", "/ops/devices/AIR-1"),
    ("operator", "/ops/customers?q=ann"),
    ("operator", "/ops/forecasts"),
    ("operator", "/ops/quarantine"),
    ("operator", "/ops/holds"),
    ("operator", "/ops/dam"),
    ("operator", "/ops/audit"),
    ("operator", "/ops/lobby"),
    ("operator", "/ops/lobby/GHOST"),
    ("operator", "/ops/profiles"),
    ("operator", "/ops/segments"),
    ("operator", "/ops/sources"),
    ("operator", "/ops/profiles/roborock.vacuum.a15"),
)
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def visit(world: World, browser: Browser) -> Iterator[Visit]:
    """Opens a page of the world on a phone as somebody."""
    settings = Settings(database_url=SecretStr(world.dsn), jwt_secret=SecretStr(SECRET), http_port=0)
    subjects = {"customer": world.ann.customer_id, "staff": world.mina.staff_id, "operator": "ops"}
    with serving(settings, world.clock) as address:

        def open_as(role: str, path: str, **more: object) -> Page:
            page, errors = open_page(browser, **(PHONE | more))
            token = world.token(role, subjects[role])
            page.context.add_cookies([{"name": "millpond_session", "value": token, "url": address}])
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            assert errors == []
            return page

        yield open_as


def live_in(world: World) -> None:
    """One of everything that a page can show: an offer, an order, a job, a refusal, a doubt, a minute of readings."""
    offer = make_offer(world)
    answer = world.as_ann.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key())
    assert answer.status_code == 201, answer.text
    summary = {"candidates": 9, "issued": 3, "credited": 2, "not_issued": 6, "withdrawn": 1, "expired": 4}
    with world.connect() as conn, conn.transaction():
        claim = claim_run(conn, "offers", NOW, holder="a", at=NOW, lease=timedelta(minutes=5))
        assert claim is not None
        finish_run(conn, claim, at=NOW, summary=summary)
        conn.execute(
            "insert into quarantined_message (digest, topic, payload, size_bytes, received_at)"
            " values (%s, %s, %s, 330, %s)",
            [b"0" * 32, "millpond/v1/A-DEVICE-WITH-A-LONG-SERIAL-0001/telemetry", b'{"metrics":' * 30, NOW],
        )
        conn.execute(
            "insert into quarantine (digest, item, serial, code, reason, received_at) values (%s, %s, %s, %s, %s, %s)",
            [b"0" * 32, "", "A-DEVICE-WITH-A-LONG-SERIAL-0001", "malformed", "it is no JSON", NOW],
        )
        conn.execute(
            "insert into live_name (serial, kind, name, since, before, shared_names, shared_first_at, shared_last_at,"
            " shared_returns) values ('AIR-1', 'boot', 'b', %(at)s, '{a}', %(names)s, %(at)s, %(at)s, 3)",
            {"at": NOW, "names": ["a" * 64, "b" * 64]},
        )
        make_dam(conn)
        count_minutes(world, 2)


def count_minutes(world: World, minutes: int) -> None:
    with world.connect() as conn:
        for minute in range(minutes):
            conn.execute(
                "insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict,"
                " quarantined) values ('c', %s, 9, 9, 7, 1, 0, 1)",
                [NOW + timedelta(minutes=minute)],
            )


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_no_page_cuts_anything_off_on_a_phone(world: World, visit: Visit, language: str) -> None:
    live_in(world)
    let_speak(world, "GHOST", "A-DEVICE-WITH-A-LONG-SERIAL-0001")
    add_rule(world)
    scan = ("customer", f"/scan?token={issue_badge_token(world.keys, world.mina)}&lang={language}")
    refused = ("operator", f"/ops/quarantine/{send_bad(world, 'AIR-1')}")
    asked = (*PAGES, refused) if language == "en" else PAGES[:3]
    for role, path in [*((role, f"{path}?lang={language}") for role, path in asked), scan]:
        page = visit(role, path)
        shoot(page, f"phone-{role}-{path.partition('?')[0].strip('/').replace('/', '-')}-{language}")
        assert page.evaluate(CUT) == [], path
        page.context.close()


@pytest.mark.parametrize("minutes", [1, 2, 3])
def test_a_chart_of_a_young_platform_names_each_minute_once(world: World, visit: Visit, minutes: int) -> None:
    count_minutes(world, minutes)
    labels = visit("operator", "/ops", viewport={"width": 1280, "height": 900}).evaluate(LABELS)
    assert labels
    assert len(labels) == len(set(labels))
