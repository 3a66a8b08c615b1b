"""What staff have over HTTP: their code, also after they left, and their statement."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from attribution.tokens import issue_badge_token
from tests.api.world import World

SALE = {"channel": "store", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3", "quantity": 2}]}


@pytest.mark.parametrize(
    ("suffix", "media_type", "begins"),
    [("", "image/svg+xml", b"<?xml"), (".svg", "image/svg+xml", b"<?xml"), (".png", "image/png", b"\x89PNG")],
)
def test_the_personal_code_is_a_picture(still_world: World, suffix: str, media_type: str, begins: bytes) -> None:
    answer = still_world.as_mina.get(f"/v1/staff/{still_world.mina.staff_id}/qr{suffix}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content.startswith(begins)


def test_the_personal_code_is_a_png_for_who_takes_nothing_else(still_world: World) -> None:
    address = f"/v1/staff/{still_world.mina.staff_id}/qr"
    for accept, media_type in [("image/png", "image/png"), ("image/png,image/svg+xml", "image/svg+xml")]:
        assert still_world.as_mina.get(address, headers={"Accept": accept}).headers["content-type"] == media_type
    assert still_world.as_noah.get(address, headers={"Accept": "image/png"}).status_code == 404


def test_a_fresh_code_leads_to_the_scan_page_and_binds_once(world: World) -> None:
    code = world.as_mina.post(f"/v1/staff/{world.mina.staff_id}/qr-tokens", headers=world.key()).json()
    assert code["url"] == f"https://pond.example/scan?token={quote(code['token'], safe='')}"
    assert code["expires_at"] == "2026-03-02T09:01:00Z"
    bound = world.as_ben.post("/v1/bindings", json={"token": code["token"]}, headers=world.key())
    assert (bound.status_code, bound.json()["outcome"]) == (201, "bound")
    assert bound.json()["credit"] == {
        "staff_id": world.mina.staff_id,
        "name": "Mina",
        "store_id": world.harbour.store_id,
        "store_name": "Harbour",
    }


def test_a_statement_of_the_month(world: World) -> None:
    world.as_noah.post("/v1/orders", json=SALE | {"customer_id": world.ann.customer_id}, headers=world.key())
    for client in (world.as_mina, world.as_operator):
        statement = client.get(f"/v1/staff/{world.mina.staff_id}/statement?month=2026-03").json()
        assert statement["month"] == "2026-03-01"
        assert statement["totals"][0]["earned"] == {"amount_minor": 1074, "currency": "EUR"}
        assert [line["customer_name"] for line in statement["lines"]] == ["Ann"]
    assert world.as_mina.get(f"/v1/staff/{world.mina.staff_id}/statement?month=2026-02").json()["lines"] == []


@pytest.mark.parametrize("month", ["2026-13", "march", "0001-01", "2026-03-01", "٢٠٢٦-03"])
def test_a_month_that_is_none_is_refused_in_one_sentence(still_world: World, month: str) -> None:
    sentence = "month: write it as 2026-11"
    answer = still_world.as_mina.get(f"/v1/staff/{still_world.mina.staff_id}/statement?month={month}")
    assert (answer.status_code, answer.json()["detail"]) == (422, sentence)
    page = still_world.browser("staff", still_world.mina.staff_id).get(f"/staff?month={month}")
    assert (page.status_code, sentence in page.text) == (422, True)


def test_an_empty_month_is_this_month(still_world: World) -> None:
    statement = still_world.as_mina.get(f"/v1/staff/{still_world.mina.staff_id}/statement?month=").json()
    assert statement["month"] == "2026-03-01"
    page = still_world.browser("staff", still_world.mina.staff_id).get("/staff?month=")
    assert (page.status_code, 'value="2026-03"' in page.text) == (200, True)


def test_this_month_is_the_stores_month(world: World) -> None:
    world.clock.at = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # Half past midnight in Berlin.
    order = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3"}]}
    sold = world.as_ann.post("/v1/orders", json=order, headers=world.key()).json()
    statement = world.as_mina.get(f"/v1/staff/{world.mina.staff_id}/statement").json()
    assert statement["month"] == "2026-04-01"
    assert [line["order_id"] for line in statement["lines"]] == [sold["order_id"]]
    assert 'value="2026-04"' in world.browser("staff", world.mina.staff_id).get("/staff").text


def leave(world: World) -> None:
    """Mina's last day."""
    done = world.as_operator.post(f"/v1/staff/{world.mina.staff_id}/departure", headers=world.key())
    assert done.status_code == 200


def test_the_code_of_somebody_who_left_shows_nobody_their_name(world: World) -> None:
    address = f"/scan?token={issue_badge_token(world.keys, world.mina)}"
    assert "Mina" in world.client().get(address).text
    leave(world)
    for client in (world.client(), world.browser("customer", world.ben.customer_id)):
        page = client.get(address)
        assert page.status_code == 422
        assert "nobody who works here now" in page.text
        assert "Mina" not in page.text
        assert "Harbour" not in page.text


def test_a_badge_that_was_replaced_shows_nobody_a_name(world: World) -> None:
    old = f"/scan?token={issue_badge_token(world.keys, world.mina)}"
    world.as_operator.post(f"/v1/staff/{world.mina.staff_id}/badges", headers=world.key())
    page = world.client().get(old)
    assert (page.status_code, "Mina" in page.text, "this badge was replaced" in page.text) == (422, False, True)


def test_who_left_gets_no_code_and_still_reads_their_statement(world: World) -> None:
    leave(world)
    person, browser = f"/v1/staff/{world.mina.staff_id}", world.browser("staff", world.mina.staff_id)
    for client in (world.as_mina, world.as_operator):
        for suffix in ("/qr", "/qr.svg", "/qr.png"):
            assert client.get(person + suffix).status_code == 404
        assert client.post(f"{person}/qr-tokens", headers=world.key()).status_code == 404
        assert client.get(f"{person}/statement").status_code == 200
    assert [browser.get(f"/staff/code.{kind}").status_code for kind in ("svg", "png")] == [404, 404]
    assert browser.post("/staff/fresh-code").status_code == 404
    page = browser.get("/staff").text
    assert ("My statement" in page, "My code" in page) == (True, False)
