"""Every call by everybody: what it does for those who may, and that it does nothing for those who may not."""

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from api.web.install import ROUTERS
from millpond.embedded.databases import temporary_database
from tests.api.conftest import make_settings, open_world
from tests.api.page_verdicts import PAGES
from tests.api.scene import Scene, open_scene
from tests.api.verdicts import EVERYBODY, SIGNED_IN, VERDICTS, Verdict
from tests.api.world import World

WRITES = [(call, verdict) for call, verdict in VERDICTS if not call.startswith("GET ")]
READS = [(call, verdict) for call, verdict in VERDICTS if call.startswith("GET ")]


@pytest.fixture
def scene(world: World) -> Scene:
    return open_scene(world)


@pytest.fixture(scope="module")
def still_scene(server_dsn: str, template: str) -> Iterator[Scene]:
    """One scene for all calls that change nothing."""
    with (
        temporary_database(server_dsn, prefix="millpond_test", template=template) as dsn,
        open_world(make_settings(dsn)) as world,
    ):
        yield open_scene(world)


def test_every_call_has_a_verdict(still_scene: Scene) -> None:
    paths = still_scene.world.client().get("/openapi.json").json()["paths"]
    documented = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert {call.partition("?")[0] for call, _ in VERDICTS} == documented


@pytest.mark.parametrize(("call", "verdict"), READS, ids=[call for call, _ in READS])
def test_a_read_shows_what_it_may_to_whom_it_may(still_scene: Scene, call: str, verdict: Verdict) -> None:
    answers = {who: ask(still_scene, who, call, verdict) for who in EVERYBODY}
    assert answers == {who: 200 if who in verdict.works_for else verdict.refusal(who) for who in EVERYBODY}


@pytest.mark.parametrize(("call", "verdict"), WRITES, ids=[call for call, _ in WRITES])
def test_a_write_works_for_whom_it_may_and_leaves_nothing_of_the_others(
    scene: Scene, call: str, verdict: Verdict
) -> None:
    verdict.prepare(scene)
    others = [who for who in EVERYBODY if who not in verdict.works_for]
    before = count_writes(scene)
    assert {who: ask(scene, who, call, verdict) for who in others} == {who: verdict.refusal(who) for who in others}
    assert count_writes(scene) == before
    answers = [ask(scene, who, call, verdict) for who in verdict.works_for]
    assert answers[0] in (200, 201)
    assert set(answers[1:]) <= {200, 201, 409}  # What the first one did may stand against the second.


NAMED = [(call, verdict) for call, verdict in VERDICTS if "{" in call]


@pytest.mark.parametrize(("call", "verdict"), NAMED, ids=[call for call, _ in NAMED])
def test_what_does_not_exist_is_there_for_nobody(still_scene: Scene, call: str, verdict: Verdict) -> None:
    nothing = Scene(still_scene.world, dict.fromkeys(still_scene.ids, "none"), still_scene.staff)
    assert {who: ask(nothing, who, call, verdict) for who in SIGNED_IN} == dict.fromkeys(SIGNED_IN, 404)


def ask(scene: Scene, who: str, call: str, verdict: Verdict) -> int:
    """The status that `who` is answered with."""
    method, address = call.format(**scene.ids).split(" ", 1)
    body = verdict.body(scene) if verdict.body else None
    headers = scene.world.key() if method != "GET" else {}
    answer = scene.client(who).request(method, address, json=body, headers=headers)
    assert answer.status_code not in range(400, 500) or answer.headers["content-type"] == "application/problem+json"
    return int(answer.status_code)


def count_writes(scene: Scene) -> int:
    """How many writes were done: each keeps the answer to its key."""
    with scene.world.connect() as conn:
        row = conn.execute("select count(*) from idempotency_key").fetchone()
    assert row is not None
    return int(row[0])


def test_every_page_has_a_verdict() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    made = {
        f"{method} {route.path}".replace("{decision}", "approved") for route in routes for method in route.methods or ()
    }
    assert set(PAGES) == made


@pytest.mark.parametrize("page", [page for page, works_for in PAGES.items() if works_for and works_for != EVERYBODY])
def test_a_page_is_there_for_whom_it_may_be(still_scene: Scene, page: str) -> None:
    method, address = page.format(**still_scene.ids).split(" ")
    world = still_scene.world
    browsers = {
        "ann": world.browser("customer", world.ann.customer_id),
        "mina": world.browser("staff", world.mina.staff_id),
        "operator": world.browser("operator", "ops"),
    }
    for who, browser in browsers.items():
        if who not in PAGES[page]:
            assert browser.request(method, address, data=FORM if method == "POST" else None).status_code == 404
        elif method == "GET":
            assert browser.get(address).status_code == 200
    sent = world.client().request(method, address, data=FORM if method == "POST" else None)
    assert (sent.status_code, sent.headers.get("location", "").partition("?")[0]) == (303, "/sign-in")


FORM = {"key": "key", "token": "token"}
