"""Segment's tracking API as SDKs use it: what is answered with success is stored, and a bad call harms no other."""

import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from events.figures import select_source_figures
from events.nouns import Scope, Source, SourceKind
from events.sources import end_key, issue_key, register_source
from millpond.kernel.db import open_read_pool, open_write_pool
from tests.api.conftest import make_settings
from tests.api.world import NOW, World

TRACK = {"event": "Product Viewed", "userId": "ann", "messageId": "m-1", "properties": {"sku": "SKU-1"}}


def make_source(world: World, kind: SourceKind = SourceKind.SERVER, **may: Any) -> tuple[Source, str]:
    with world.connect() as conn:
        source = register_source(conn, name=f"{kind} {may}", kind=kind, at=NOW, **may)
        return source, issue_key(conn, source.source_id, at=NOW).write_key


@pytest.fixture
def write_key(world: World) -> str:
    return make_source(world)[1]


def post(world: World, write_key: str, call: str = "track", body: Any = TRACK, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    client = world.client()
    return client.post(
        f"/v1/{call}",
        content=content,
        auth=(write_key, ""),
        headers={k.replace("_", "-"): v for k, v in headers.items()},
    )


def stored(world: World) -> list[tuple[Any, ...]]:
    with world.connect() as conn:
        return conn.execute("select call, name, message_id from event order by message_id").fetchall()


@pytest.mark.parametrize("call", ["track", "t", "track/", "page", "screen", "identify", "group", "alias"])
def test_a_call_is_stored_when_it_is_answered_and_counts_once(world: World, write_key: str, call: str) -> None:
    body = TRACK | {"previousId": "tablet"}
    for _ in range(2):
        answer = post(world, write_key, call, body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    [(name, _, message_id)] = stored(world)
    assert name.startswith(call[0])
    assert message_id == "m-1"


@pytest.mark.parametrize("packing", [None, "gzip"])
@pytest.mark.parametrize("spelling", ["batch", "b", "import", "batch/"])
def test_a_batch_is_taken_as_sdks_send_it(world: World, write_key: str, spelling: str, packing: str | None) -> None:
    calls = [TRACK | {"type": "track", "messageId": f"m-{n}"} for n in range(3)]
    body = json.dumps({"batch": calls, "sentAt": NOW.isoformat()}).encode()
    if packing:
        answer = post(world, write_key, spelling, gzip.compress(body), content_encoding=packing)
    else:
        answer = post(world, write_key, spelling, body, content_type="application/json; charset=utf-8")
    assert answer.json() == {"success": True}
    assert [message_id for *_, message_id in stored(world)] == ["m-0", "m-1", "m-2"]


def test_one_bad_call_is_told_and_the_good_ones_are_kept(world: World, write_key: str) -> None:
    calls = [TRACK | {"type": "track", "messageId": f"m-{n:02}"} for n in range(99)]
    answer = post(world, write_key, "batch", {"batch": [*calls, {"type": "track", "userId": "ann", "event": "\ud800"}]})
    assert answer.status_code == 200
    assert (answer.json()["success"], answer.json()["refused_in_all"]) == (True, 1)
    assert [each["reason"] for each in answer.json()["refused"]] == ["not_json"]
    assert len(stored(world)) == 99


@pytest.mark.parametrize("name", ["card", "messenger", "email", "phone"])
def test_a_name_too_long_for_the_database_is_refused_and_the_good_ones_are_kept(world: World, name: str) -> None:
    _, key = make_source(world, scopes=[Scope.IDENTIFY])
    long = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))
    bad = {"type": "identify", "userId": "ann", "messageId": "m-2", "traits": {name: long}}
    answer = post(world, key, "batch", {"batch": [TRACK | {"type": "track"}, bad]})
    assert (answer.status_code, [each["reason"] for each in answer.json()["refused"]]) == (200, ["bad_id"])
    assert [message_id for *_, message_id in stored(world)] == ["m-1"]


def test_a_key_in_the_body_is_as_good_and_a_beacon_says_it_so(world: World) -> None:
    _, write_key = make_source(world, SourceKind.WEB)
    body = json.dumps(TRACK | {"writeKey": write_key}).encode()
    answer = world.client().post("/v1/t", content=body, headers={"Content-Type": "text/plain;charset=UTF-8"})
    assert answer.status_code == 200
    assert len(stored(world)) == 1


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic /w=="}]
)
def test_without_a_key_nothing_is_taken(world: World, given: dict[str, str]) -> None:
    answer = world.client().post("/v1/track", json=TRACK, headers=given)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "unauthenticated"
    assert stored(world) == []


def test_a_key_that_ended_takes_nothing_from_that_moment_and_the_new_one_does(world: World) -> None:
    source, old = make_source(world)
    with world.connect() as conn:
        new = issue_key(conn, source.source_id, at=NOW)
        [(key_id,)] = conn.execute("select min(key_id) from source_key").fetchall()
        end_key(conn, source.source_id, key_id, at=NOW)
    assert post(world, old).status_code == 401
    assert post(world, new.write_key).status_code == 200


@pytest.mark.parametrize("body", [b'{"batch": [' + b" " * 600_000 + b"]}", gzip.compress(b" " * 100_000_000)])
def test_what_is_too_large_is_refused_packed_or_not(world: World, write_key: str, body: bytes) -> None:
    packing = "gzip" if body[:1] != b"{" else "identity"
    answer = post(world, write_key, "batch", body, content_encoding=packing)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("body", [b"", b"no", b"[]"])
def test_a_body_that_is_no_batch_is_refused(world: World, write_key: str, body: bytes) -> None:
    assert post(world, write_key, "batch", body).status_code == 422
    assert post(world, write_key, "batch", body, content_encoding="gzip").status_code == 422


def test_who_sends_too_much_is_asked_to_come_later(world: World, write_key: str) -> None:
    settings = make_settings(world.dsn).model_copy(update={"source_events_per_s": 1})
    with open_read_pool(world.dsn, max_size=1) as reads, open_write_pool(world.dsn, max_size=1) as writes:
        slow = TestClient(create_app(settings, clock=world.clock, read_pool=reads, write_pool=writes))
        batch = {"batch": [TRACK | {"type": "track", "messageId": f"m-{n}"} for n in range(100)]}
        answers = [slow.post("/v1/batch", json=batch, auth=(write_key, "")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert 80 < int(answers[1].headers["retry-after"]) <= 90
    assert len(stored(world)) == 100


def test_when_the_database_is_away_sdks_are_asked_to_try_again(world: World, write_key: str) -> None:
    settings = make_settings(world.dsn)
    with open_read_pool(world.dsn, max_size=1) as reads, open_write_pool(world.dsn, max_size=1) as writes:
        client = TestClient(create_app(settings, clock=world.clock, read_pool=reads, write_pool=writes))
        writes.close()
        answer = client.post("/v1/track", json=TRACK, auth=(write_key, ""))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_pages_may_send_for_their_own_source_alone(world: World) -> None:
    shop = "https://shop.example"
    _, of_page = make_source(world, SourceKind.WEB, origins=[shop])
    _, of_any = make_source(world, SourceKind.APP)
    _, of_server = make_source(world, scopes=[Scope.ORDERS])
    assert post(world, of_page, origin=shop).status_code == 200
    assert post(world, of_any, origin="https://elsewhere.example").status_code == 200
    for key, origin in ((of_page, "https://evil.example"), (of_server, shop)):
        answer = post(world, key, origin=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (403, "*")


def test_a_browser_may_ask_before_it_sends(world: World) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = world.client().options("/v1/batch", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert "authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("signal", ["1", "0"])
def test_who_asks_not_to_be_followed_is_noted_so(world: World, write_key: str, signal: str) -> None:
    post(world, write_key, sec_gpc=signal)
    with world.connect() as conn:
        [(context,)] = conn.execute("select context from event").fetchall()
    assert context == ({"gpc": True} if signal == "1" else {})


def test_no_answer_says_anything_about_a_person(world: World, write_key: str) -> None:
    known = post(
        world, write_key, "identify", {"userId": world.ann.external_key or world.ann.customer_id, "messageId": "1"}
    )
    nobody = post(world, write_key, "identify", {"userId": "nobody", "messageId": "2"})
    assert known.content == nobody.content


def test_the_figures_say_what_came_of_what_a_source_told(world: World, write_key: str) -> None:
    late = (NOW - timedelta(minutes=3)).isoformat()
    calls = [
        TRACK | {"type": "track", "messageId": f"m-{n}", "timestamp": late if n < 50 else None} for n in range(100)
    ]
    for _ in range(2):
        post(world, write_key, "batch", {"batch": [*calls, {"type": "dance"}]})
    with world.connect() as conn:
        [figures] = select_source_figures(conn, since=NOW)
        [later] = select_source_figures(conn, since=NOW + timedelta(hours=1))
    assert (figures.taken, figures.repeated, figures.refused) == (100, 100, {"no_type": 2})
    assert (figures.latest_at, figures.late_p50_s, figures.late_p95_s) == (NOW, 1, 300)
    assert (later.taken, later.refused, later.latest_at, later.late_p50_s) == (0, {}, None, None)
