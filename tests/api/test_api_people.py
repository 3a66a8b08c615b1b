"""Staff codes, bindings, orders, refunds and statements over HTTP."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from attribution.bindings import binding_at
from attribution.tokens import issue_badge_token, issue_screen_token
from millpond.kernel.ids import BindingId
from tests.api.world import NOW, World

TILL = {"channel": "store", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3", "quantity": 2}]}


def ann_binding(world: World) -> BindingId:
    with world.connect() as conn:
        binding = binding_at(conn, world.ann.customer_id, NOW)
    assert binding is not None
    return binding.binding_id


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


def test_a_second_scan_answers_with_the_binding_in_force(world: World) -> None:
    token = issue_badge_token(world.keys, world.noah)
    answer = world.as_ann.post("/v1/bindings", json={"token": token}, headers=world.key())
    assert (answer.status_code, answer.json()["outcome"]) == (200, "already_bound")
    assert answer.json()["staff_id"] == world.mina.staff_id


@pytest.mark.parametrize("token", ["forged", "a.b.c", "\ud800"[:0] + "x" * 3000])
def test_a_code_that_is_not_ours_binds_nobody(still_world: World, token: str) -> None:
    answer = still_world.as_ben.post("/v1/bindings", json={"token": token}, headers=still_world.key())
    assert answer.status_code == 422
    assert still_world.as_ben.get(f"/v1/customers/{still_world.ben.customer_id}/binding").status_code == 404


def test_an_expired_screen_code_binds_nobody(world: World) -> None:
    token = issue_screen_token(world.keys, world.mina, at=NOW)
    world.clock.at += timedelta(seconds=61)
    assert world.as_ben.post("/v1/bindings", json={"token": token}, headers=world.key()).status_code == 422


def test_a_spent_screen_code_binds_no_second_customer(world: World) -> None:
    register = {"token": issue_screen_token(world.keys, world.noah, at=NOW)}
    assert world.as_ben.post("/v1/bindings", json=register, headers=world.key()).status_code == 201
    spent = world.as_ann.post("/v1/bindings", json=register, headers=world.key())
    assert spent.status_code in (200, 409)
    assert spent.json().get("staff_id") != world.noah.staff_id


def test_staff_and_operators_cannot_scan(still_world: World) -> None:
    token = issue_badge_token(still_world.keys, still_world.mina)
    for client in (still_world.as_noah, still_world.as_operator):
        assert client.post("/v1/bindings", json={"token": token}, headers=still_world.key()).status_code == 404


def test_who_looks_after_me(still_world: World) -> None:
    for client in (still_world.as_ann, still_world.as_operator):
        shown = client.get(f"/v1/customers/{still_world.ann.customer_id}/binding").json()
        assert (shown["credit"]["name"], shown["bound_until"]) == ("Mina", None)


def test_nobody_looks_after_ben_and_nobody_knows_a_stranger(still_world: World) -> None:
    for customer in (still_world.ben.customer_id, "cus_stranger"):
        assert still_world.as_operator.get(f"/v1/customers/{customer}/binding").status_code == 404


def test_a_hand_over_begins_after_the_delay_and_can_be_refused(world: World) -> None:
    body = {"to_staff_id": world.noah.staff_id, "reason": "moved"}
    coming = world.as_ann.post(f"/v1/bindings/{ann_binding(world)}/transfers", json=body, headers=world.key())
    assert coming.status_code == 201
    assert coming.json()["bound_from"] == "2026-03-03T09:00:00Z"
    address = f"/v1/bindings/{coming.json()['binding_id']}/refusal"
    assert world.as_ann.post(address, headers=world.key()).json()["staff_id"] == world.mina.staff_id


def test_a_sale_in_another_store_is_credited_to_whose_customer_it_is(world: World) -> None:
    sold = world.as_noah.post("/v1/orders", json=TILL | {"customer_id": world.ann.customer_id}, headers=world.key())
    assert sold.status_code == 201
    order = world.as_operator.get(f"/v1/orders/{sold.json()['order_id']}").json()
    assert (order["credited_to"], order["sold_by"]) == (world.mina.staff_id, world.noah.staff_id)
    assert order["amount"] == {"amount_minor": 35800, "currency": "EUR"}
    assert order["store_id"] == world.market.store_id


def test_a_refund_claws_the_commission_back(world: World) -> None:
    order = world.as_noah.post(
        "/v1/orders", json=TILL | {"customer_id": world.ann.customer_id}, headers=world.key()
    ).json()
    address = f"/v1/orders/{order['order_id']}/refunds"
    refund = {"amount": {"amount_minor": 17900, "currency": "EUR"}, "reason": "one too many"}
    done = world.as_noah.post(address, json=refund, headers=world.key())
    assert (done.status_code, done.json()["clawed_back"]) == (201, {"amount_minor": 537, "currency": "EUR"})
    too_much = world.as_noah.post(
        address, json={"amount": {"amount_minor": 17901, "currency": "EUR"}}, headers=world.key()
    )
    assert too_much.status_code == 409
    foreign = world.as_noah.post(address, json={"amount": {"amount_minor": 1, "currency": "USD"}}, headers=world.key())
    assert foreign.status_code == 422


def test_a_statement_of_the_month(world: World) -> None:
    world.as_noah.post("/v1/orders", json=TILL | {"customer_id": world.ann.customer_id}, headers=world.key())
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


def test_an_operator_sells_in_a_store(world: World) -> None:
    order = TILL | {"customer_id": world.ben.customer_id, "store_id": world.harbour.store_id}
    sold = world.as_operator.post("/v1/orders", json=order, headers=world.key())
    assert (sold.status_code, sold.json()["credited_to"]) == (201, None)


def test_an_order_for_nobody_or_a_stranger_is_refused(still_world: World) -> None:
    assert still_world.as_mina.post("/v1/orders", json=TILL, headers=still_world.key()).status_code == 422
    stranger = TILL | {"customer_id": "cus_stranger"}
    assert still_world.as_mina.post("/v1/orders", json=stranger, headers=still_world.key()).status_code == 404


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
