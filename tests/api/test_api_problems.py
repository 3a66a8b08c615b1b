"""Whatever goes wrong is one problem with one sentence."""

import asyncio
import base64
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from millpond.kernel.clock import StillClock
from millpond.kernel.db import open_read_pool, open_write_pool
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.settings import Settings
from offers.showing import show_open_offers
from tests.api.world import NOW, World, make_offer, make_token

AWAY = "postgresql://nobody@127.0.0.1:1/none"
"""A server that nobody answers for."""

ORDER = {"channel": "app", "currency": "EUR", "items": [{"sku": "REED-SOUNDBAR-3"}]}


def test_a_problem_has_the_members_of_rfc_9457(still_world: World) -> None:
    answer = still_world.as_ann.get("/v1/devices/NOPE")
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem == {
        "type": "urn:millpond:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no device NOPE that you may see",
        "instance": "/v1/devices/NOPE",
        "request_id": answer.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"items": []}, "body items: "),
        ({"items": [{"sku": "REED-SOUNDBAR-3", "quantity": 0}]}, "body items 0 quantity: "),
        ({"items": [{"sku": "REED-SOUNDBAR-3", "quantity": True}]}, "body items 0 quantity: "),
        ({"items": [{"sku": "NUL\x00"}]}, "body items 0 sku: text cannot hold the character U+0000"),
        ({"currency": "euro"}, "body currency: "),
        ({"channel": "pigeon"}, "body channel: "),
        ({"chanel": "app"}, "body chanel: "),
        ({"channel": "store"}, "channel: a customer orders in the app"),
        ({"currency": "USD"}, ""),
        ({"items": [{"sku": "NO-SUCH"}]}, ""),
    ],
)
def test_a_body_that_cannot_be_says_what_and_where(
    still_world: World, change: dict[str, object], sentence: str
) -> None:
    answer = still_world.as_ann.post("/v1/orders", json=ORDER | change, headers=still_world.key())
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)
    assert "Traceback" not in answer.text


def test_half_a_request_does_nothing(world: World) -> None:
    """A line that breaks in the middle of a form must not accept what the rest of it might have said."""
    offer = make_offer(world)
    headers = {"cookie": f"millpond_session={world.token('customer', world.ann.customer_id)}"}
    headers |= {"content-type": "application/x-www-form-urlencoded", "content-length": "60", "host": "testserver"}
    scope = {"type": "http", "method": "POST", "path": f"/me/offers/{offer.offer_id}/accept", "query_string": b""}
    scope |= {"headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    part: dict[str, object] = {"type": "http.request", "body": b"key=form_1", "more_body": True}
    messages: Iterator[dict[str, object]] = iter([part, {"type": "http.disconnect"}])

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: dict[str, object]) -> None:
        raise AssertionError(f"nobody is there to hear {message['type']}")

    asyncio.run(world.app(scope, receive, send))
    with world.connect() as conn:
        open_offers = show_open_offers(conn, world.ann.customer_id, at=NOW)
        assert [each.offer.offer_id for each in open_offers] == [offer.offer_id]
    assert 'status="499"' in world.client().get("/metrics").text


def test_text_that_no_database_takes_is_the_callers_to_mend(still_world: World) -> None:
    half = base64.urlsafe_b64encode(b'["\\ud800"]').decode()
    assert still_world.as_operator.get(f"/v1/customers?cursor={half}").status_code == 422
    assert still_world.browser("staff", still_world.mina.staff_id).get(f"/staff?cursor={half}").status_code == 422
    for subject in ("\ud800", "\x00"):
        assert still_world.client("customer", subject).get("/v1/devices").status_code == 401
        page = still_world.browser("customer", subject).get("/me")
        assert (page.status_code, page.headers["Location"].partition("?")[0]) == (303, "/sign-in")


def test_an_origin_that_is_no_address_is_a_foreign_one(still_world: World) -> None:
    answer = still_world.client().post("/sign-in", data={"token": "x"}, headers={"Origin": "http://["})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"{", "body 1: this is not JSON"), (b'{"serial":"%s","model":"reed-tv-55"}' % (b"x" * 65), "serial 'xxx")],
)
def test_a_sentence_says_what_is_wrong(still_world: World, body: bytes, sentence: str) -> None:
    headers = still_world.key() | {"Content-Type": "application/json"}
    answer = still_world.as_operator.post("/v1/devices", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 100_000, b"null", b""])
def test_broken_json_is_the_callers_to_mend(still_world: World, body: bytes) -> None:
    headers = still_world.key() | {"Content-Type": "application/json"}
    answer = still_world.as_ann.post("/v1/orders", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("serial", ["%00", "a%00b", "%ED%A0%80", "x" * 3000, "..%2f..%2fetc", "';drop table device;--"])
def test_hostile_text_in_an_address_is_not_found_or_refused(still_world: World, serial: str) -> None:
    answer = still_world.as_operator.get(f"/v1/devices/{serial}")
    assert answer.status_code in (404, 422)


def test_an_unknown_address_and_a_wrong_method(still_world: World) -> None:
    assert still_world.as_ann.get("/v1/nothing").json()["detail"] == "there is nothing at this address"
    wrong = still_world.as_ann.delete("/v1/devices")
    assert (wrong.status_code, wrong.json()["title"]) == (405, "Method Not Allowed")
    assert wrong.headers["allow"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_more_than_a_megabyte_is_refused_unread(still_world: World, chunked: bool) -> None:
    body = b"x" * (1_048_576 + 1)
    content = iter([body[:700_000], body[700_000:]]) if chunked else body
    answer = still_world.as_ann.post("/v1/orders", content=content, headers=still_world.key())
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:millpond:problem:body-too-large")


def test_a_fault_of_ours_says_nothing_of_its_inside(world: World) -> None:
    with world.connect() as conn:
        conn.execute("alter table device_status rename column session to secret_column")
    answer = world.as_ann.get("/v1/devices/AIR-1")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_database_that_is_away_is_503_with_a_time_to_come_back(settings: Settings) -> None:
    with open_read_pool(AWAY) as reads, open_write_pool(AWAY) as writes:
        reads.timeout = writes.timeout = 0.2
        clock = StillClock(NOW)
        client = TestClient(create_app(settings, clock=clock, read_pool=reads, write_pool=writes))
        headers = {"Authorization": f"Bearer {make_token('operator', 'ops', clock.at)}"}
        answer = client.get("/v1/devices", headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "does not answer" in answer.json()["detail"]
        assert client.get("/healthz").json() == {"status": "alive"}
        assert "millpond_database_up 0.0" in client.get("/metrics").text
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"][0] == {"check": "database", "ok": False, "detail": "does not answer within 1 s"}


def test_without_a_secret_there_is_no_app() -> None:
    with open_read_pool(AWAY) as reads, open_write_pool(AWAY) as writes:
        with pytest.raises(ConfigurationError, match="MILLPOND_JWT_SECRET is not set"):
            create_app(Settings(), clock=StillClock(NOW), read_pool=reads, write_pool=writes)


def test_every_answer_carries_safe_headers_and_an_id(still_world: World) -> None:
    answer = still_world.client().get("/healthz", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    odd = still_world.client().get("/healthz", headers={"X-Request-Id": "x" * 65})
    assert odd.headers["x-request-id"].startswith("req_")
