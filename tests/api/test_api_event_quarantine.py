"""Operators read the tracking plan, and find and replay calls that could not be taken."""

from typing import Any

from tests.api.world import World

BAD = {"event": "Product Viewed", "userId": "ann", "messageId": "m-1", "properties": {"price": -1}}


def send(world: World, *calls: dict[str, Any]) -> None:
    shop = world.as_operator.post("/v1/sources", json={"name": "Shop", "kind": "web"}, headers=world.key()).json()
    for call in calls:
        assert world.client().post("/v1/track", json=call, auth=(shop["write_key"], "")).status_code == 200


def test_the_plan_is_told_with_the_events_that_it_does_not_know(world: World) -> None:
    send(world, {"event": "Lamp Rubbed", "userId": "ann", "messageId": "m-1"})
    told = world.as_operator.get("/v1/plan").json()
    by_name = {event["name"]: event for event in told["events"]}
    assert by_name["Order Completed"]["order"] == ["order_id"]
    assert "$defs" in by_name["Product Viewed"]["properties"]
    assert [(each["source"], each["name"], each["events"]) for each in told["unknown"]] == [("Shop", "Lamp Rubbed", 1)]


def test_what_was_set_aside_is_listed_grouped_and_replayed(world: World) -> None:
    send(world, BAD, BAD | {"messageId": "m-2", "event": "Offer Shown"})
    listed = world.as_operator.get("/v1/event-quarantine", params={"limit": 1}).json()
    assert len(listed["items"]) == 1
    following = world.as_operator.get("/v1/event-quarantine", params={"cursor": listed["next_cursor"]}).json()
    assert {each["name"] for each in listed["items"] + following["items"]} == {"Product Viewed", "Offer Shown"}
    [one] = world.as_operator.get("/v1/event-quarantine", params={"name": "Product Viewed"}).json()["items"]
    assert (one["reason"], one["known_as"], '"price"' in one["raw"]) == ("against_plan", "m-1", True)
    groups = world.as_operator.get("/v1/event-quarantine/groups").json()["items"]
    assert {(each["name"], each["calls"]) for each in groups} == {("Product Viewed", 1), ("Offer Shown", 1)}
    asked = {"reason": "against_plan", "most": 1}
    done = world.as_operator.post("/v1/event-quarantine/replays", json=asked, headers=world.key()).json()
    assert (done["taken"], done["refused"]) == (0, 1)
    asked |= {"after": done["next_after"], "dry_run": True}
    done = world.as_operator.post("/v1/event-quarantine/replays", json=asked, headers=world.key()).json()
    assert (done["taken"], done["refused"], done["dry_run"]) == (0, 1, True)
