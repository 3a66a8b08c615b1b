"""Signing in and out of the pages: by a link that asks first, or a pasted token, and never elsewhere."""

import re
from html import unescape

import pytest

from api.web.words import load_words
from millpond.kernel.language import LANGUAGES
from tests.api.world import ABROAD, World


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
