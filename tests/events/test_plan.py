"""The tracking plan: each event of Segment's e-commerce specification and ours, and what violates it."""

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from events.nouns import Call, Event
from events.plan.files import check_plan, load_plan
from millpond.kernel.errors import InvalidInput
from tests.people import AT

PLAN = load_plan()


class WritePlan(Protocol):
    """Writes a file into a folder of one's own, which it returns."""

    def __call__(self, text: str, name: str = ...) -> Path: ...


NAMES = {
    *("Products Searched", "Product List Viewed", "Product Viewed", "Product Clicked", "Product Added"),
    *("Product Removed", "Cart Viewed", "Product Added to Wishlist", "Checkout Started", "Order Completed"),
    *("Order Refunded", "Coupon Applied", "Promotion Viewed", "Promotion Clicked", "Product Shared"),
    *("Product Reviewed", "Offer Shown", "Offer Clicked", "Offer Dismissed", "Store Entered", "Store Left"),
    *("Beacon Seen", "Tag Scanned", "Product Tried", "Message Opened"),
}


def track(name: str, properties: dict[str, Any], call: Call = Call.TRACK) -> Event:
    return Event("m", call, name, AT, "ann", None, None, None, None, json.dumps(properties), "{}")


def test_the_plan_has_every_event_of_the_specification_and_of_ours() -> None:
    assert set(PLAN.events) >= NAMES
    assert all(event.says.endswith(".") for event in PLAN.events.values())


# From Segment's specification, shortened.
ORDER = {
    "order_id": "50314b8e9bcf000000000000",
    "affiliation": "Google Store",
    "total": 27.50,
    "revenue": 25.00,
    "shipping": 3,
    "tax": 2,
    "discount": 2.5,
    "coupon": "hasbros",
    "currency": "USD",
    "products": [{"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "price": 19, "quantity": 1}],
}


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Order Completed", ORDER),
        ("Products Searched", {"query": "blue hotpants"}),
        ("Product Viewed", {"product_id": 507, "price": 0, "position": 3, "currency": "KRW", "anything": ["else"]}),
        ("Promotion Viewed", {"promotion_id": "p", "position": "home_banner_top"}),
        ("Offer Shown", {"decision_id": "dec_1", "position": 0, "sku": "A"}),
        ("Beacon Seen", {"beacon_id": "b-7", "rssi": -71}),
    ],
)
def test_events_as_the_specification_has_them_are_taken(name: str, properties: dict[str, Any]) -> None:
    assert PLAN.judge(track(name, properties)) is None


@pytest.mark.parametrize(
    ("name", "properties", "sentence"),
    [
        ("Product Viewed", {}, "the event has neither sku nor product_id"),
        ("Product Viewed", {"sku": "A", "price": -1}, "price must be 0 or more"),
        ("Product Viewed", {"sku": "A", "price": "9.99"}, "price must be a number"),
        ("Product Viewed", {"sku": "A", "price": 1e13}, "price must be 1000000000000 or less"),
        ("Product Viewed", {"sku": ""}, "sku must have 1 characters or more"),
        ("Product Viewed", {"sku": ["A"]}, "sku must be a whole number or a text"),
        ("Product Added", {"sku": "A", "quantity": 0}, "quantity must be 1 or more"),
        ("Product Added", {"sku": "A", "quantity": 1.5}, "quantity must be a whole number"),
        ("Order Completed", {"total": 1}, "the event has no order_id"),
        ("Cart Viewed", {"currency": ""}, "currency must be a currency in use by its ISO 4217 code, like EUR or KRW"),
        ("Cart Viewed", {"products": [{"sku": "A"}, {"name": "B"}]}, "products[1] has neither sku nor product_id"),
        ("Cart Viewed", {"products": [{"sku": "A"}] * 201}, "products must have 200 entries or fewer"),
        ("Message Opened", {"medium": "owl"}, "medium must be one of push, email, sms, messenger, app"),
        ("Offer Clicked", {"position": 1}, "the event has no decision_id"),
    ],
)
def test_what_violates_the_plan_is_named_by_its_property(name: str, properties: dict[str, Any], sentence: str) -> None:
    assert PLAN.judge(track(name, properties)) == sentence


def test_a_sentence_quotes_nothing_of_the_event() -> None:
    said = PLAN.judge(track("Product Viewed", {"sku": "A", "category": ["ann@example.org"]}))
    assert said == "category must be a text"


def test_an_unknown_event_violates_nothing_and_is_known_as_unknown() -> None:
    unknown = track("Lamp Rubbed", {"price": -1})
    assert (PLAN.judge(unknown), PLAN.knows(unknown)) == (None, False)
    page = track("Product Viewed", {}, Call.PAGE)
    assert (PLAN.judge(page), PLAN.knows(page)) == (None, True)


@pytest.fixture
def own(tmp_path: Path) -> WritePlan:
    def write(text: str, name: str = "own.yaml") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path

    return write


def test_a_plan_of_ones_own_wins_by_event_and_by_part(own: WritePlan) -> None:
    folder = own(
        """
        $defs: {price: {type: [number, string]}}
        events:
          Lamp Rubbed: {says: A ghost came., sku: [lamp], schema: {required: [wish]}}
          Offer Clicked: {says: As we call it., schema: {}}
        """
    )
    plan = load_plan(folder)
    assert plan.judge(track("Lamp Rubbed", {})) == "the event has no wish"
    assert plan.judge(track("Offer Clicked", {})) is None
    assert plan.judge(track("Product Viewed", {"sku": "A", "price": "9.99"})) is None
    assert plan.judge(track("Order Completed", {})) == "the event has no order_id"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("events: {A: {says: B., schema: {type: lamp}}}", "the schema of 'A' is none"),
        ("events: {A: {says: B., schema: {$ref: '#/$defs/lamp'}}}", "the schema of 'A' is none: .*lamp"),
        ("events: {A: {says: B., schema: {$ref: 'http://127.0.0.1:1/x'}}}", "the schema of 'A' is none"),
        ("events: {A: {schema: {}}}", "events.A.says: Field required"),
        ("events: [", "is not YAML"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_its_name(own: WritePlan, text: str, sentence: str) -> None:
    folder = own(text)
    with pytest.raises(InvalidInput, match=rf"own\.yaml.*{sentence}"):
        load_plan(folder)
    with pytest.raises(InvalidInput, match=rf"own\.yaml.*{sentence}"):
        check_plan(folder / "own.yaml")


def test_a_file_is_checked_beside_those_of_the_folder(own: WritePlan) -> None:
    folder = own("$defs: {lamp: {type: string}}", "a.yaml")
    own("events: {Lit: {says: It shines., schema: {properties: {lamp: {$ref: '#/$defs/lamp'}}}}}", "b.yaml")
    assert "Lit" in check_plan(folder / "b.yaml", folder).events
    with pytest.raises(InvalidInput, match="lamp"):
        check_plan(folder / "b.yaml")
