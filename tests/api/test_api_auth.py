"""Who may call, and what happens to tokens that prove nothing."""

from datetime import timedelta

import jwt
import pytest

from api.auth import Role, mint_token
from tests.api.world import NOW, SECRET, World

CLAIMS = {"role": "operator", "sub": "ops", "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60}


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in CLAIMS.items() if key != name}


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (mint_token(SECRET, Role.OPERATOR, "ops", NOW - timedelta(hours=2), timedelta(hours=1)), "has expired"),
        (mint_token(SECRET, Role.OPERATOR, "ops", NOW - timedelta(hours=1), timedelta(hours=1)), "has expired"),
        (mint_token("another secret, that is long enough", Role.OPERATOR, "ops", NOW, timedelta(hours=1)), "not one"),
        (jwt.encode(CLAIMS, SECRET, algorithm="HS512"), "not one of ours"),
        (jwt.encode(CLAIMS, "", algorithm="none"), "not one of ours"),
        (jwt.encode(CLAIMS | {"role": "king"}, SECRET, algorithm="HS256"), "names no role"),
        (jwt.encode(CLAIMS | {"exp": 10**30}, SECRET, algorithm="HS256"), "not"),
        (jwt.encode(without("role"), SECRET, algorithm="HS256"), "names no role"),
        (jwt.encode(without("exp"), SECRET, algorithm="HS256"), "not one of ours"),
        (jwt.encode(without("sub"), SECRET, algorithm="HS256"), "not one of ours"),
        ("a.b.c", "not one of ours"),
    ],
)
def test_a_token_that_proves_nothing_is_refused_with_a_sentence(still_world: World, token: str, sentence: str) -> None:
    answer = still_world.client().get("/v1/devices", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]


def test_no_token_is_401_and_not_403(still_world: World) -> None:
    answer = still_world.client().get("/v1/devices")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:millpond:problem:unauthenticated")


def test_a_token_lives_on_the_platforms_clock(world: World) -> None:
    client = world.as_operator
    assert client.get("/v1/devices").status_code == 200
    world.clock.at += timedelta(hours=2)
    assert client.get("/v1/devices").status_code == 401


def test_the_cookie_of_the_pages_opens_no_call_of_the_api(still_world: World) -> None:
    browser = still_world.browser("operator", "ops")
    assert browser.get("/v1/devices").status_code == 401
