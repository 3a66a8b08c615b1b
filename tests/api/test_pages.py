"""The pages: what stands on them, with hostile text, when there is nothing, and when there is much."""

import json
import re
from html import unescape

from attribution.tokens import issue_badge_token
from devices.registry import register_device
from ingest.health import beat
from tests.api.world import HOSTILE, NOW, START, World, make_offer


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
