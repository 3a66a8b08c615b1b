"""The feed is made quickly, and is never an older or another answer for that."""

import pytest
from psycopg.types.json import Jsonb

from api.paging import Feed
from api.told.offers import OfferOut, tell_open_offers
from offers.showing import select_open_offers
from tests.api.world import World, make_offer


def read_feed(world: World) -> str:
    answer = world.as_ann.get(f"/v1/customers/{world.ann.customer_id}/offers")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return str(answer.text)


def test_the_feed_is_byte_for_byte_what_its_model_says(world: World) -> None:
    make_offer(world)
    feed = read_feed(world)
    assert Feed[OfferOut].model_validate_json(feed).model_dump_json() == feed


def test_an_empty_feed_is_a_page_too(world: World) -> None:
    assert Feed[OfferOut].model_validate_json(read_feed(world)).model_dump_json() == read_feed(world)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("update product set name = %(name)s", "Renamed"),
        ("update customer set locale = 'ko'", "까지 정가"),
        ("update staff set name = 'Mina Renamed'", "Mina Renamed"),
        ("update store set name = 'Harbour Renamed'", "Harbour Renamed"),
        ("update offer set state = 'seen'", '"state":"seen"'),
        ('update offer set facts = facts || \'{"serial": "RENAMED-1"}\'', "RENAMED-1"),
    ],
)
def test_what_was_told_once_is_not_told_again_when_anything_changed(world: World, change: str, says: str) -> None:
    make_offer(world)
    assert says not in read_feed(world)
    with world.connect() as conn:
        conn.execute(change.encode(), {"name": Jsonb({"en": "Renamed"})})
    assert says in read_feed(world)


def test_an_offer_that_is_answered_between_two_looks_is_not_told_as_open(world: World) -> None:
    offer = make_offer(world)
    with world.connect() as conn:
        found = select_open_offers(conn, world.ann.customer_id, at=world.clock.at)
        conn.execute("update offer set state = 'declined'")
        assert [each.offer_id for each in found] == [offer.offer_id]
        assert tell_open_offers(conn, found) == []
