"""The pages: who may open them, three languages, hostile text, empty and full."""

import json
import re
from html import unescape
from string import Formatter

import pytest

from api.web.words import accepted_languages, load_words
from attribution.tokens import issue_badge_token
from devices.registry import register_device
from ingest.health import beat
from millpond.kernel.language import LANGUAGES, choose_language
from tests.api.world import NOW, START, World, make_offer

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ABROAD = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


def hidden_key(page: str) -> str:
    match = re.search(r'name="key" value="(form_\w+)"', page)
    assert match is not None
    return match[1]


@pytest.mark.parametrize(("role", "home"), [("customer", "/me"), ("staff", "/staff"), ("operator", "/ops")])
def test_a_link_asks_and_its_button_signs_in_and_leads_home(still_world: World, role: str, home: str) -> None:
    browser = still_world.surfer()
    question = browser.get(f"/sign-in?token={still_world.token(role, 'someone')}&lang=en")
    assert (question.status_code, "token=" in str(question.url)) == (200, False)
    assert "Sign in as someone" in question.text
    assert "millpond_session" not in browser.cookies
    yes = browser.post("/sign-in", data=hidden_fields(question.text), follow_redirects=False)
    assert (yes.status_code, yes.headers["location"]) == (303, "/")
    cookie = yes.headers.get_list("set-cookie")[0].lower()
    assert all(word in cookie for word in ("millpond_session", "httponly", "samesite=lax", "secure"))
    assert browser.get("/", follow_redirects=False).headers["location"] == home
    out = browser.post("/sign-out", follow_redirects=False)
    assert 'millpond_session=""' in out.headers["set-cookie"]


def test_a_link_never_replaces_who_is_signed_in_without_a_yes(still_world: World) -> None:
    browser = still_world.surfer()
    browser.cookies.set("millpond_session", still_world.token("customer", still_world.ann.customer_id))
    foreign = still_world.token("customer", still_world.ben.customer_id)
    for headers in ({}, ABROAD):
        question = browser.get(f"/sign-in?token={foreign}&next=/scan&lang=en", headers=headers)
        assert "Sign in as Ben" in question.text
        assert "You are signed in as Ann here" in question.text
        assert "Hello, Ann" in browser.get("/me").text
    assert browser.post("/sign-in", data=hidden_fields(question.text), headers=ABROAD).status_code == 403
    assert "Hello, Ann" in browser.get("/me").text


def test_a_yes_to_one_link_is_none_to_another(still_world: World) -> None:
    browser = still_world.surfer()
    asked = browser.get(f"/sign-in?token={still_world.token('staff', still_world.mina.staff_id)}")
    browser.get(f"/sign-in?token={still_world.token('operator', 'another')}")
    answer = browser.post("/sign-in", data=hidden_fields(asked.text))
    assert (answer.status_code, "another link" in answer.text) == (422, True)
    assert "millpond_session" not in browser.cookies


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_of_a_link_speaks_three_languages(still_world: World, language: str) -> None:
    browser = still_world.surfer()
    page = browser.get(f"/sign-in?token={still_world.token('staff', still_world.mina.staff_id)}&lang={language}").text
    assert load_words(language)["sign_in_as"].format(name="Mina") in unescape(page)
    assert load_words(language)["sign_in_as_staff"] in unescape(page)


def test_a_link_that_proves_nothing_says_so(still_world: World) -> None:
    answer = still_world.surfer().get("/sign-in?token=nonsense")
    assert (answer.status_code, "not one of ours" in answer.text) == (401, True)


def test_only_a_form_of_ours_signs_out(still_world: World) -> None:
    browser = still_world.browser("operator", "ops")
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out", headers=ABROAD).status_code == 403
    assert browser.get("/ops").status_code == 200


def hidden_fields(page: str) -> dict[str, str]:
    """What the page's form sends besides its button."""
    form = page[page.index('<form method="post" action="/sign-in"') :]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))


def test_a_pasted_token_signs_in_and_a_wrong_one_says_so(still_world: World) -> None:
    browser = still_world.client()
    right = browser.post("/sign-in", data={"token": f" {still_world.token('staff', 'x')} ", "next": "/staff"})
    assert (right.status_code, right.headers["location"]) == (303, "/staff")
    wrong = browser.post("/sign-in", data={"token": "nonsense"})
    assert wrong.status_code == 401
    assert "not one of ours" in wrong.text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\n/evil.example"])
def test_signing_in_leads_nowhere_else(still_world: World, target: str) -> None:
    answer = still_world.client().post("/sign-in", data={"token": still_world.token("staff", "x"), "next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("page", ["/me", "/staff", "/ops", "/ops/fleet", "/ops/quarantine", "/ops/forecasts"])
def test_nobody_is_sent_to_sign_in_and_the_wrong_person_finds_nothing(still_world: World, page: str) -> None:
    assert still_world.client().get(page).headers["location"] == f"/sign-in?next={page.replace('/', '%2F')}"
    for role, subject in (
        ("customer", still_world.ann.customer_id),
        ("staff", still_world.mina.staff_id),
        ("operator", "ops"),
    ):
        home = {"customer": "/me", "staff": "/staff", "operator": "/ops"}[role]
        answer = still_world.browser(role, subject).get(page)
        assert answer.status_code == (200 if page.startswith(home) else 404)
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_customers_page_speaks_three_languages(world: World, language: str) -> None:
    make_offer(world)
    words = load_words(language)
    page = unescape(world.browser("customer", world.ann.customer_id).get(f"/me?lang={language}").text)
    assert f'<html lang="{language}" data-zone="Europe/Berlin">' in page
    for key in ("offers", "devices", "orders", "binding", "decline", "no_orders"):
        assert words[key] in page
    assert words["accept"].split("{")[0] in page


def test_every_language_has_every_text_with_the_same_places() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    english = {key: places(text) for key, text in load_words("en").items()}
    for language in LANGUAGES:
        assert {key: places(text) for key, text in load_words(language).items()} == english


@pytest.mark.parametrize(
    ("asked", "own", "accepted", "chosen"),
    [
        ("zh", "ko", "en", "zh"),
        (None, "ko-KR", "zh", "ko"),
        (None, "de", "fr, zh-TW;q=0.8", "zh"),
        ("xx", None, "", "en"),
    ],
)
def test_the_language_is_asked_for_or_ones_own_or_the_browsers(
    asked: str | None, own: str | None, accepted: str, chosen: str
) -> None:
    assert choose_language(asked, own, *accepted_languages(accepted)) == chosen


def test_ben_reads_korean_because_he_is_korean(still_world: World) -> None:
    assert (
        '<html lang="ko" data-zone="Asia/Seoul">'
        in still_world.browser("customer", still_world.ben.customer_id).get("/me").text
    )


def test_the_chart_carries_history_forecast_and_threshold(world: World) -> None:
    make_offer(world)
    page = world.browser("customer", world.ann.customer_id).get("/me").text
    match = re.search(r'data-kind="forecast" data-chart="([^"]+)"', page)
    assert match is not None
    chart = json.loads(unescape(match[1]))
    assert chart["threshold"] == 10
    assert chart["x"] == sorted(chart["x"])
    assert {len(series) for series in chart["series"]} == {len(chart["x"])}
    measured, expected, low, high = chart["series"]
    assert measured[0] == 100
    ahead = [(a, b, c) for a, b, c in zip(low, expected, high, strict=True) if b is not None]
    assert ahead
    assert all(a <= b <= c for a, b, c in ahead)


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


def test_staff_see_their_code_customers_and_statement(world: World) -> None:
    offer = make_offer(world)
    world.as_ann.post(f"/v1/offers/{offer.offer_id}/accept", headers=world.key())
    browser = world.browser("staff", world.mina.staff_id)
    page = browser.get("/staff?month=2026-03").text
    assert "Ann" in page
    assert "€1.08" in page
    assert browser.get("/staff/code.svg").headers["content-type"] == "image/svg+xml"
    assert browser.get("/staff/code.png").content.startswith(b"\x89PNG")
    fresh = browser.post("/staff/fresh-code").text
    assert "2 Mar 2026, 10:01:00" in fresh
    assert "every 55s" in fresh
    noah = world.browser("staff", world.noah.staff_id).get("/staff").text
    assert "Nobody has scanned your code yet." in noah
    assert "No order was credited to you in this month." in noah


def test_operators_see_empty_tables_with_a_sentence(still_world: World) -> None:
    browser = still_world.browser("operator", "ops")
    page = browser.get("/ops").text
    for sentence in ("Nothing was refused.", "No forecast has been made yet.", "No job has run yet."):
        assert sentence in page
    assert "No device matches this search." in browser.get("/ops/fleet?q=zzz").text
    assert "AIR-1" in browser.get("/ops/fleet?q=air").text


def quarantine(world: World, number: int) -> None:
    digest = number.to_bytes(32, "big")
    with world.connect() as conn:
        conn.execute(
            "insert into quarantined_message (digest, topic, payload, size_bytes, received_at)"
            " values (%s, %s, %s, 5000, %s)",
            [digest, HOSTILE, HOSTILE.encode() * 20 + b"\xff\x00", NOW],
        )
        conn.execute(
            "insert into quarantine (digest, item, serial, code, reason, received_at) values (%s, %s, %s, %s, %s, %s)",
            [digest, HOSTILE, HOSTILE, "not_json", HOSTILE, NOW],
        )


def test_hostile_text_is_shown_and_never_run(world: World) -> None:
    quarantine(world, 1)
    with world.connect() as conn:
        conn.execute("update customer set name = %s", [HOSTILE])
        conn.execute("update staff set name = %s", [HOSTILE])
        conn.execute("update store set name = %s", [HOSTILE])
        register_device(
            conn,
            serial="X",
            model="reed-tv-43",
            region=HOSTILE,
            customer_id=world.ann.customer_id,
            installed_at=START,
            at=START,
        )
    token = issue_badge_token(world.keys, world.mina)
    pages = [
        world.browser("customer", world.ann.customer_id).get("/me"),
        world.browser("customer", world.ann.customer_id).get(f"/scan?token={token}"),
        world.browser("staff", world.mina.staff_id).get("/staff"),
        *(world.browser("operator", "o").get(f"/ops{page}") for page in ("", "/quarantine", f"/fleet?q={HOSTILE}")),
        world.browser("operator", "o").get("/ops/fleet"),
        world.browser("operator", "o").get(f"/nothing/{HOSTILE}"),
    ]
    for page in pages:
        assert page.status_code in (200, 404)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    assert sum("&lt;script&gt;alert" in page.text for page in pages) >= 6


def test_quarantine_is_paged_to_its_end(world: World) -> None:
    for number in range(27):
        quarantine(world, number)
    browser = world.browser("operator", "o")
    first = browser.get("/ops/quarantine").text
    following = re.search(r"/ops/quarantine\?cursor=([\w-]+)", first)
    assert following is not None
    second = browser.get(f"/ops/quarantine?cursor={following[1]}").text
    assert (first.count('class="card refused"'), second.count('class="card refused"')) == (25, 2)
    assert "cursor=" not in second


def test_pages_hold_nothing_that_the_content_policy_forbids_and_nothing_from_elsewhere(world: World) -> None:
    make_offer(world)
    with world.connect() as conn:
        beat(conn, "ingest-1", epoch=1, connected=True, in_flight=0, lag_s=0.0)
    ann, mina, ops = world.ann.customer_id, world.mina.staff_id, "ops"
    for role, subject, page in (
        *(("customer", ann, "/me"), ("staff", mina, "/staff"), ("customer", ann, "/docs"), ("operator", ops, "/ops")),
        *(("operator", ops, f"/ops/{name}") for name in ("live", "fleet", "forecasts", "quarantine")),
    ):
        text = world.browser(role, subject).get(page).text
        assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text), page
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)", text), page
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text), page


def test_static_files_are_there_and_keep(still_world: World) -> None:
    page = still_world.client().get("/sign-in").text
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(found) >= 6
    for address in found:
        answer = still_world.client().get(address)
        assert answer.status_code == 200
        assert "no-store" not in answer.headers.get("cache-control", "")
    assert still_world.client().get("/static/../app.py").status_code == 404


def test_the_reference_lists_every_call_of_the_contract(still_world: World) -> None:
    page, document = still_world.client().get("/docs").text, still_world.client().get("/openapi.json").json()
    for path in document["paths"]:
        assert path in page
    assert "HTTPValidationError" not in page + str(document["paths"])
    calls = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert calls >= {
        *("GET /healthz", "GET /readyz", "GET /metrics", "POST /v1/devices", "GET /v1/devices"),
        *("GET /v1/devices/{serial}", "GET /v1/devices/{serial}/readings", "GET /v1/devices/{serial}/forecasts"),
        *("GET /v1/staff/{staff_id}/qr", "GET /v1/staff/{staff_id}/qr.svg", "GET /v1/staff/{staff_id}/qr.png"),
        *("POST /v1/staff/{staff_id}/qr-tokens", "POST /v1/bindings", "GET /v1/customers/{customer_id}/binding"),
        *("POST /v1/bindings/{binding_id}/transfers", "GET /v1/customers/{customer_id}/offers"),
        *("POST /v1/offers/{offer_id}/seen", "POST /v1/offers/{offer_id}/accept", "POST /v1/offers/{offer_id}/decline"),
        *("POST /v1/orders", "POST /v1/orders/{order_id}/refunds", "GET /v1/staff/{staff_id}/statement"),
        *("GET /v1/decisions/{decision_id}", "GET /v1/customers/{customer_id}/decisions", "GET /v1/products"),
        *("GET /v1/orders", "GET /v1/orders/{order_id}", "POST /v1/staff/{staff_id}/payouts"),
    }
