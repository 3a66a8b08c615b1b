"""What was found out about a token is kept for seconds, and is never more than that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.recent import Recent
from customers.identifiers import add_identifier
from customers.nouns import Namespace
from millpond.kernel.clock import StillClock
from millpond.kernel.settings import Settings
from tests.api.conftest import open_world
from tests.api.world import NOW, World


def ask_as(world: World, token: str) -> int:
    status: int = world.client().get("/v1/devices", headers={"Authorization": f"Bearer {token}"}).status_code
    return status


def test_a_kept_token_that_was_changed_in_one_letter_is_refused(world: World) -> None:
    token = world.token("customer", world.ann.customer_id)
    assert ask_as(world, token) == 200
    *_, signature = token.split(".")
    other = "B" if signature[0] == "A" else "A"
    assert ask_as(world, token.removesuffix(signature) + other + signature[1:]) == 401


def test_a_kept_token_is_refused_once_it_has_expired_and_before_it_is_valid(world: World) -> None:
    token = world.token("customer", world.ann.customer_id)
    assert ask_as(world, token) == 200
    for later, status in ((timedelta(minutes=59), 200), (timedelta(hours=1), 401)):
        world.clock.at = NOW + later
        assert ask_as(world, token) == status
    # A clock that is set back meets what is kept of later.
    world.app.state.edge = replace(world.app.state.edge, clock=StillClock(NOW - timedelta(minutes=2)))
    assert ask_as(world, token) == 401


@pytest.mark.parametrize(("keep_s", "status"), [(60, 200), (0, 404)])
def test_whom_a_key_leads_to_is_kept_for_the_seconds_that_are_set(
    settings: Settings, keep_s: float, status: int
) -> None:
    with open_world(settings.model_copy(update={"token_keep_s": keep_s})) as world, world.connect() as conn:
        add_identifier(conn, world.ann.customer_id, Namespace.EXTERNAL, "A-1", at=NOW - timedelta(days=1))
        client = world.client("customer", "A-1")
        path = f"/v1/customers/{world.ann.customer_id}/offers"
        assert client.get(path).status_code == 200
        conn.execute(
            "update customer_identifier l set valid_until = %s from identifier i"
            " where i.identifier_id = l.identifier_id and i.key = 'A-1'",
            [NOW],
        )
        assert client.get(path).status_code == status


def test_an_answer_is_kept_for_its_seconds() -> None:
    for keep_s, found in ((60.0, "ann"), (0.0, None), (1e-9, None)):
        recent = Recent[str, str](keep_s=keep_s, most=10)
        recent.keep("a", "ann")
        assert recent.find("a") == found


def test_no_more_answers_are_kept_than_there_is_room_for() -> None:
    recent = Recent[str, int](keep_s=60, most=2)
    for key, answer in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        recent.keep(key, answer)
    assert [recent.find(key) for key in "abc"] == [3, None, 4]
