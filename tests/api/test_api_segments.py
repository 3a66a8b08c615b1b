"""Segments over HTTP: operators make them, try them first, and see who is in them, which the audit log keeps."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from customers.audit.entries import select_entries
from customers.consent import record_consent
from customers.nouns import Purpose
from segments.refreshing import run_refresh
from tests.api.world import NOW, World

ORDERED: dict[str, Any] = {"field": "orders", "op": ">=", "value": 1}
OWNS_AIR: dict[str, Any] = {"field": "models", "op": "has", "value": "reed-air-2"}


def refresh(world: World) -> None:
    with world.connect() as conn:
        run_refresh(conn, world.clock.at, asked_at=world.clock.at, complete=True)


def make(world: World, name: str, condition: dict[str, Any], **also: Any) -> Any:
    body = {"segment_id": name, "title": "Ours", "condition": condition} | also
    return world.as_operator.post("/v1/segments", json=body, headers=world.key())


def preview(world: World, condition: dict[str, Any]) -> Any:
    return world.as_operator.post("/v1/segments/preview", json={"condition": condition}, headers=world.key())


def test_a_condition_is_tried_kept_and_its_members_are_told_with_why(world: World) -> None:
    refresh(world)
    tried = preview(world, OWNS_AIR).json()
    assert (tried["size"], [each["customer_id"] for each in tried["examples"]]) == (1, [world.ann.customer_id])
    assert tried["estimate"]["cost"] > 0
    made = make(world, "air_owners", OWNS_AIR)
    assert (made.status_code, made.json()["members"], made.json()["needs"]) == (201, None, ["device_profiling"])
    world.clock.at += timedelta(minutes=1)
    refresh(world)
    [member] = world.as_operator.get("/v1/segments/air_owners/members").json()["items"]
    assert (member["customer_id"], member["evidence"]) == (world.ann.customer_id, {"models": ["reed-air-2"]})
    listed = {each["segment_id"]: each for each in world.as_operator.get("/v1/segments?limit=200").json()["items"]}
    assert (listed["air_owners"]["members"], listed["gift_buyer"]["built_in"]) == (1, True)
    with world.connect() as conn:
        seen = [(entry.action, entry.customer_id) for entry in select_entries(conn, actor="operator:ops")]
    whom = world.ann.customer_id
    assert {("previewed", whom), ("defined_segment", None), ("seen_in_segment", whom)} <= set(seen)


def test_who_does_not_agree_any_more_is_shown_to_nobody_from_the_very_next_call_on(world: World) -> None:
    make(world, "air_owners", OWNS_AIR)
    refresh(world)
    with world.connect() as conn:
        record_consent(
            conn,
            world.ann.customer_id,
            Purpose.DEVICE_PROFILING,
            version=1,
            given=False,
            at=world.clock.at,
            source="app",
            evidence={},
        )
    assert world.as_operator.get("/v1/segments/air_owners/members").json()["items"] == []
    assert preview(world, OWNS_AIR).json()["examples"] == []


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ({"and": [ORDERED, {"field": "x", "op": "=", "value": 1}]}, "/and/1/field: there is no such field"),
        ({"segment": "nobody"}, "/: there is no segment nobody"),
        ({"segment": "mine"}, "/: the segment mine would depend on itself"),
    ],
)
def test_what_is_wrong_with_a_condition_is_one_sentence_with_its_place(
    world: World, condition: dict[str, Any], sentence: str
) -> None:
    answer = make(world, "mine", condition)
    assert (answer.status_code, answer.json()["detail"].startswith(sentence)) == (422, True)


def test_segments_cannot_go_in_a_circle_and_a_name_that_ships_is_taken(world: World) -> None:
    assert make(world, "one", ORDERED).status_code == 201
    assert make(world, "two", {"not": {"segment": "one"}}).status_code == 201
    answer = make(world, "one", {"and": [ORDERED, {"segment": "two"}]})
    assert (answer.status_code, "depend on itself" in answer.json()["detail"]) == (422, True)
    assert make(world, "gift_buyer", ORDERED).status_code == 409


def test_a_segment_of_others_needs_what_they_need(world: World) -> None:
    make(world, "one", OWNS_AIR)
    assert make(world, "two", {"segment": "one"}).json()["needs"] == ["device_profiling"]


def test_a_condition_that_would_look_at_the_world_is_refused(world: World) -> None:
    world.app.state.edge.settings.__dict__["segment_cost_max"] = 1.0
    for answer in (preview(world, ORDERED), make(world, "mine", ORDERED)):
        assert (answer.status_code, "would look at too much" in answer.json()["detail"]) == (422, True)


def test_the_schema_of_conditions_is_published(world: World) -> None:
    schema = world.as_operator.get("/v1/segments/schema").json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def _page(world: World) -> TestClient:
    return world.browser("operator", "ops")


def test_the_page_shows_sizes_over_time_and_tries_what_is_written(world: World) -> None:
    for _ in range(2):
        refresh(world)
        world.clock.at += timedelta(hours=1)
    page = _page(world).get("/ops/segments?shown=part_due").text
    assert 'data-kind="sizes"' in page
    assert "Gift buyers" in page
    same_site = {"Sec-Fetch-Site": "same-origin"}
    tried = _page(world).post(
        "/ops/segments/preview",
        data={"condition": '{"field": "models", "op": "has", "value": "reed-air-2"}'},
        headers=same_site,
    )
    assert (tried.status_code, world.ann.customer_id in tried.text) == (200, True)
    wrong = _page(world).post("/ops/segments/preview", data={"condition": '{"field": "<b>"}'}, headers=same_site)
    assert (wrong.status_code, "there is no such field" in wrong.text, "<b>" in wrong.text) == (422, True, False)
    kept = _page(world).post(
        "/ops/segments/new",
        data={
            "segment_id": "kept",
            "title": "Kept",
            "condition": '{"field": "orders", "op": ">=", "value": 1}',
            "key": "k1",
        },
        headers=same_site,
    )
    assert (kept.status_code, kept.headers["location"]) == (303, "/ops/segments?shown=kept")
    assert world.clock.at > NOW
