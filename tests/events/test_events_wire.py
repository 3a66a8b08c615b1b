"""What a call of the tracking API says is checked alone: a bad one takes no other with it, and no clock is trusted."""

import json
from datetime import timedelta
from typing import Any

import pytest

from customers.nouns import Namespace
from events.nouns import Call, Event, Refused
from events.wire import correct_time, decode_batch, decode_call
from millpond.kernel.errors import InvalidInput
from tests.people import AT

GOOD = {"type": "track", "event": "Product Viewed", "userId": "ann", "messageId": "m-1"}


def heard(call: Call = Call.TRACK, **said: Any) -> Event:
    [one] = decode_call(json.dumps(GOOD | said).encode(), call, received_at=AT).heard
    return one.event


def refused(**said: Any) -> Refused:
    [one] = decode_call(json.dumps(GOOD | said).encode(), Call.TRACK, received_at=AT).refused
    return one


def batch_of(*calls: bytes) -> bytes:
    return b'{"batch": [' + b", ".join(calls) + b'], "sentAt": "' + AT.isoformat().encode() + b'"}'


def test_every_call_is_read_as_segment_specifies_it() -> None:
    product = {"product_id": 7, "sku": "SKU-1", "price": 9.5}
    track = heard(properties=product, anonymousId="tablet", context={"sessionId": 1754})
    assert (track.name, track.login, track.anonymous_id, track.sku) == ("Product Viewed", "ann", "tablet", "SKU-1")
    assert (json.loads(track.properties), track.session_id) == (product, "1754")
    page = heard(Call.PAGE, name="Home", category="Shop")
    assert (page.name, json.loads(page.properties)) == ("Home", {"category": "Shop"})
    assert json.loads(heard(Call.GROUP, groupId="g-1", traits={"size": 3}).properties) == {"groupId": "g-1", "size": 3}
    assert heard(Call.ALIAS, previousId="tablet").previous_id == "tablet"
    assert heard(Call.IDENTIFY, userId=12).login == "12"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"userId": None}, "nobody"),
        ({"userId": ""}, "nobody"),
        ({"userId": "x" * 256}, "bad_id"),
        ({"userId": "a\0b"}, "bad_id"),
        ({"userId": True}, "wrong_type"),
        ({"event": " "}, "no_name"),
        ({"properties": []}, "wrong_type"),
        ({"properties": {"a": "\0"}}, "not_text"),
        ({"properties": {"a": "\ud800"}}, "not_json"),
        ({"properties": {str(n): 1 for n in range(3000)}}, "too_many_keys"),
        ({"properties": {str(n): 1 for n in range(10_000)}}, "too_large"),
        ({"properties": {"a": "x" * 40_000}}, "too_large"),
        ({"properties": {"a": [[[[[[[[[[[1]]]]]]]]]]]}}, "too_deep"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_a_word(said: dict[str, Any], reason: str) -> None:
    assert refused(**said).reason == reason


def test_a_sentence_about_a_refusal_quotes_nothing_of_the_call() -> None:
    assert "secret" not in refused(properties="secret").detail + repr(refused(userId="secret" * 99))


BAD = [
    b'{"type": "track", "event": "x", "userId": "a", "properties": {"half": "\\ud800 , ] }"}}',
    b'{"type": "track", "event": "x", "userId": "\xff"}',
    b"[" * 3000 + b"]" * 3000,
    b'{"type": "dance", "userId": "a"}',
    b'{"a": NaN}',
    b'"text"',
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 50, 99])
def test_one_bad_call_among_99_good_ones_is_told_and_the_others_are_kept(bad: bytes, place: int) -> None:
    calls = [json.dumps(GOOD | {"messageId": f"m-{n}"}).encode() for n in range(99)]
    calls.insert(place, bad)
    read = decode_batch(batch_of(*calls), received_at=AT)
    assert [each.event.message_id for each in read.heard] == [f"m-{n}" for n in range(99)]
    assert [each.raw for each in read.refused] == [bad]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batch": 1}', b'{"batch": [{}', b'{"batch": ["\\ud800"'])
def test_a_body_that_is_no_batch_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="the body is"):
        decode_batch(body, received_at=AT)


def test_a_wrong_clock_is_set_right_by_what_it_said_when_it_sent() -> None:
    hour = timedelta(hours=1)
    for wrong in (timedelta(0), timedelta(days=27_000), timedelta(days=-20_000)):
        told, sent = AT + wrong - hour, AT + wrong
        assert correct_time(told.isoformat(), sent.isoformat(), AT) == AT - hour
    assert correct_time((AT - hour).isoformat(), None, AT) == AT - hour
    assert correct_time((AT - hour).timestamp() * 1000, None, AT) == AT - hour


@pytest.mark.parametrize(
    "told", [None, "2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "soon", 1e300, -1, "9999-12-31T23:59:59Z"]
)
def test_a_time_that_cannot_be_is_when_the_call_came(told: str | float | None) -> None:
    assert correct_time(told, None, AT) == AT
    assert correct_time(told, "0001-01-01T00:00:00Z", AT) == AT


def test_a_call_without_an_id_of_its_own_gets_the_same_one_when_it_is_sent_again() -> None:
    when: dict[str, Any] = {"timestamp": "2026-01-01T00:00:00Z", "messageId": None}
    again, other = heard(**when), heard(**(when | {"event": "Other"}))
    assert heard(**when).message_id == again.message_id != other.message_id
    raw = json.dumps(GOOD | {"messageId": None}).encode()
    ids = {each.event.message_id for each in decode_batch(batch_of(raw, raw), received_at=AT).heard}
    assert len(ids) == 2


def test_nothing_by_which_somebody_is_found_elsewhere_is_kept() -> None:
    person = {"email": "ann@example.com", "phone": "+82 10 1234", "firstName": "Ann", "name": "Ann", "birthday": "1990"}
    nested = {"tier": "gold", "address": {"city": "Seoul"}, "more": [{"E-Mail": "x", "이름": "앤", "size": 3}]}
    identify = heard(Call.IDENTIFY, traits=person | nested, context={"ip": "203.0.113.9", "traits": person})
    assert json.loads(identify.properties) == {"tier": "gold", "more": [{"size": 3}]}
    assert identify.claims == ((Namespace.EMAIL, "ann@example.com"), (Namespace.PHONE, "+82 10 1234"))
    assert "ann@" not in repr(identify)
    track = heard(properties={"name": "Filter", "query": "write to ann@example.com"})
    assert (json.loads(track.properties), track.claims) == ({"name": "Filter", "query": "write to (e-mail)"}, ())


def test_of_the_context_what_is_used_is_kept() -> None:
    page = {"path": "/p", "url": "https://shop.example/p?mail=ann%40example.com", "title": "P"}
    device = {"type": "ios", "id": "IDFV", "advertisingId": "x", "name": "Ann's phone"}
    said = {"page": page, "device": device, "userAgent": "Mozilla/5.0", "location": {"city": "Seoul"}, "locale": "ko"}
    kept = {"page": {"path": "/p", "title": "P"}, "device": {"type": "ios"}, "locale": "ko"}
    assert json.loads(heard(context=said).context) == kept
