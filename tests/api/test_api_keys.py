"""Keys by role: who may mint one role's tokens mints no other's, a rotation overlaps, and printed badges outlive it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from api.auth import Role, mint_token, read_token, sign_token
from api.keys import build_staff_keys, build_token_keys
from attribution.people import register_staff, register_store
from attribution.tokens import decode_staff_token, derive_staff_keys, issue_badge_token
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import ConfigurationError, InvalidInput, Unauthenticated
from millpond.kernel.secret_strength import find_weakness
from millpond.kernel.settings import Settings, load_settings
from tests.api.world import NOW, SECRET, World

HOUR = timedelta(hours=1)
OLD, NEW, CUSTOMERS, OPERATORS = (f"{name} secret, quite unlike the others" for name in ("old", "new", "app's", "ops"))


def keys(**secrets: str) -> Any:
    return build_token_keys(load_settings(**{"jwt_secret": SECRET} | secrets))


def accepts(held: Any, token: str) -> bool:
    try:
        read_token(held, token, NOW)
    except Unauthenticated:
        return False
    return True


def test_the_shared_secret_alone_signs_for_all_and_its_own_old_form_is_accepted() -> None:
    for role in Role:
        assert accepts(keys(), mint_token(SECRET, role, "x", NOW, HOUR))
        assert accepts(keys(), sign_token(keys(), role, "x", NOW, HOUR))


def test_who_mints_customers_tokens_mints_no_operators() -> None:
    held = keys(customer_jwt_secret=CUSTOMERS)
    assert accepts(held, mint_token(CUSTOMERS, Role.CUSTOMER, "x", NOW, HOUR))
    for role in (Role.STAFF, Role.OPERATOR):
        assert not accepts(held, mint_token(CUSTOMERS, role, "x", NOW, HOUR))
        assert accepts(held, mint_token(SECRET, role, "x", NOW, HOUR))


def test_a_derived_key_of_one_role_signs_for_no_other() -> None:
    held = keys()
    customers = held.by_role[Role.CUSTOMER][0]
    claims = {"role": "operator", "sub": "x", "exp": int((NOW + HOUR).timestamp())}
    for headers in ({}, {"kid": customers.kid}, {"kid": held.by_role[Role.OPERATOR][0].kid}):
        assert not accepts(held, jwt.encode(claims, customers.secret, algorithm="HS256", headers=headers))


def test_the_shared_secret_signs_nothing_for_a_role_with_a_secret_of_its_own() -> None:
    held = keys(operator_jwt_secret=OPERATORS)
    assert not accepts(held, mint_token(SECRET, Role.OPERATOR, "x", NOW, HOUR))
    assert not accepts(held, sign_token(keys(), Role.OPERATOR, "x", NOW, HOUR))
    assert accepts(held, sign_token(held, Role.OPERATOR, "x", NOW, HOUR))


@pytest.mark.parametrize("name", ["jwt_secret", "customer_jwt_secret"])
@pytest.mark.parametrize("sign", [sign_token, lambda held, *more: mint_token(OLD, *more)], ids=["named", "plain"])
def test_a_rotation_overlaps_for_as_long_as_the_previous_secret_is_set(name: str, sign: Callable[..., str]) -> None:
    token = sign(keys(**{name: OLD}), Role.CUSTOMER, "x", NOW, HOUR)
    assert accepts(keys(**{name: NEW, f"{name}_previous": OLD}), token)
    assert not accepts(keys(**{name: NEW}), token)
    fresh = sign_token(keys(**{name: NEW, f"{name}_previous": OLD}), Role.CUSTOMER, "x", NOW, HOUR)
    assert accepts(keys(**{name: NEW}), fresh)


def test_a_token_names_its_key_and_the_name_tells_nothing_of_it() -> None:
    token = sign_token(keys(), Role.STAFF, "x", NOW, HOUR)
    kid = jwt.get_unverified_header(token)["kid"]
    assert next(key.kid for key in keys().by_role[Role.STAFF]) == kid
    other = jwt.encode(jwt.decode(token, options={"verify_signature": False}), SECRET, headers={"kid": "another"})
    assert not accepts(keys(), other)


def test_an_issuer_and_an_audience_are_demanded_where_they_are_set() -> None:
    strict = keys(token_issuer="https://brand.example", token_audience="millpond")
    assert accepts(strict, sign_token(strict, Role.CUSTOMER, "x", NOW, HOUR))
    assert not accepts(strict, sign_token(keys(), Role.CUSTOMER, "x", NOW, HOUR))
    elsewhere = keys(token_issuer="https://brand.example", token_audience="another")
    assert not accepts(strict, sign_token(elsewhere, Role.CUSTOMER, "x", NOW, HOUR))


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"nbf": 61}, "not valid yet"),
        ({"iat": 61}, "not valid yet"),
        ({"nbf": "soon"}, "nbf is not a time"),
        ({"sub": ""}, "names nobody"),
        ({"sub": " "}, "names nobody"),
        ({"sub": "o\x00"}, "names nobody"),
        ({"sub": "\ud800"}, "names nobody"),
        ({"sub": "\u202eo"}, "names nobody"),
        ({"sub": "o" * 201}, "names nobody"),
    ],
)
def test_a_token_of_later_or_of_nobody_is_refused(still_world: World, claims: dict[str, Any], sentence: str) -> None:
    now = int(NOW.timestamp())
    given = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    token = jwt.encode({"role": "operator", "sub": "o", "exp": now + 600} | given, SECRET, algorithm="HS256")
    answer = still_world.client().get("/v1/devices", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, sentence in answer.json()["detail"]) == (401, True)


def test_clocks_may_differ_by_a_minute(still_world: World) -> None:
    now = int(NOW.timestamp())
    claims = {"role": "operator", "sub": "o", "exp": now + 600, "iat": now + 60, "nbf": now + 60}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    assert still_world.client().get("/v1/devices", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def make_badge(conn: WriteConnection, settings: Settings) -> str:
    store = register_store(conn, name="S", currency="EUR", at=NOW)
    return issue_badge_token(
        build_staff_keys(settings), register_staff(conn, store_id=store.store_id, name="M", at=NOW)
    )


def test_printed_badges_of_today_outlive_a_rotation_of_the_tokens_keys(conn: WriteConnection) -> None:
    badge = make_badge(conn, load_settings(jwt_secret=OLD))
    assert decode_staff_token(derive_staff_keys(OLD.encode()), badge, at=NOW)
    for kept in (
        load_settings(jwt_secret=NEW, badge_secret=OLD),
        load_settings(jwt_secret=NEW, jwt_secret_previous=OLD),
        load_settings(jwt_secret=NEW, badge_secret=OPERATORS, badge_secret_previous=OLD),
    ):
        assert decode_staff_token(build_staff_keys(kept), badge, at=NOW)
    with pytest.raises(InvalidInput, match="not issued by us"):
        decode_staff_token(build_staff_keys(load_settings(jwt_secret=NEW)), badge, at=NOW)


ROOT = Path(__file__).parents[2]
EXAMPLES = [
    line.partition("=")[2] for line in (ROOT / "docker" / "env.example").read_text().splitlines() if "=" in line
]


@pytest.mark.parametrize(
    "weak",
    [
        *("a" * 32, "ab" * 20, "changeme" * 4, "change-me-" * 4, "0123456789abcdef" * 4),
        *("abcdefghijklmnopqrstuvwxyz0123456789", "your-256-bit-secret-your-256-bit-secret"),
        *("00112233445566778899aabbccddeeff", "11112222333344445555666677778888", "d41d8cd98f00b204e9800998ecf8427e"),
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        *("your_jwt_secret_key_here_min_32_characters_long", "set it in .env, at least 32 bytes", *EXAMPLES),
    ],
)
def test_a_weak_secret_is_refused_wherever_one_is_set(weak: str) -> None:
    assert find_weakness(weak) is not None
    with pytest.raises(ConfigurationError, match="MILLPOND_JWT_SECRET is"):
        load_settings(jwt_secret=weak).require("jwt_secret")
    if weak:
        with pytest.raises(ConfigurationError, match="MILLPOND_STAFF_JWT_SECRET is"):
            load_settings(jwt_secret=SECRET, staff_jwt_secret=weak).require("jwt_secret")


@pytest.mark.parametrize("secret", ["9f86d081884c7d659a2feaa0c55ad015", "Zk3vN0qXw5TjR8mYb1LcPfHs6UeAiGdo", SECRET])
def test_what_a_generator_gives_is_accepted(secret: str) -> None:
    assert find_weakness(secret) is None


def test_two_purposes_do_not_share_a_secret() -> None:
    with pytest.raises(ConfigurationError, match="MILLPOND_STAFF_JWT_SECRET is that of MILLPOND_CUSTOMER_JWT_SECRET"):
        keys(customer_jwt_secret=CUSTOMERS, staff_jwt_secret=CUSTOMERS)
    with pytest.raises(ConfigurationError, match="MILLPOND_CUSTOMER_JWT_SECRET is that of MILLPOND_JWT_SECRET"):
        keys(customer_jwt_secret=SECRET)
    # Else the brand's app, which mints customers' tokens, could issue staff codes and be credited for every sale.
    with pytest.raises(ConfigurationError, match="MILLPOND_BADGE_SECRET is that of MILLPOND_CUSTOMER_JWT_SECRET"):
        keys(customer_jwt_secret=CUSTOMERS, badge_secret=CUSTOMERS)


def test_with_a_secret_for_each_the_shared_one_is_not_needed() -> None:
    own = {"customer_jwt_secret": CUSTOMERS, "staff_jwt_secret": OLD, "operator_jwt_secret": OPERATORS}
    assert accepts(keys(jwt_secret="", badge_secret=NEW, **own), mint_token(OPERATORS, Role.OPERATOR, "o", NOW, HOUR))
    with pytest.raises(ConfigurationError, match="MILLPOND_JWT_SECRET is not set"):
        keys(jwt_secret="", **own)


def test_every_caller_of_the_api_goes_by_these_keys(still_world: World) -> None:
    client = TestClient(still_world.app)
    token = sign_token(keys(), Role.OPERATOR, "o", NOW, HOUR)
    assert client.get("/v1/devices", headers={"Authorization": f"Bearer {token}"}).status_code == 200
