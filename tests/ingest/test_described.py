"""What one message describes is known to those that follow, in the same batch and in later ones, and has its bounds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.described.keep import keep_descriptions
from ingest.formats.describing import Describing, Description
from ingest.formats.format import Format, Formats, Subscription
from ingest.nouns import Decoded, Delivery, Lane, Limits, Registry
from ingest.storing.batch import store_batch
from millpond.kernel.db import WriteConnection
from tests.endings import retain

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(8_192, timedelta(days=365), timedelta(minutes=5))


def needs(delivery: Delivery) -> Collection[str]:
    """A message of `toy/say/{key}` or `toy/add/{key}` needs the key."""
    return [delivery.topic.rpartition("/")[2]]


def describes(delivery: Delivery) -> Mapping[str, Description]:
    """`toy/add/{key}` adds its text to what is known; an empty one takes it back. `toy/fault` is a mistake."""
    _, verb, key = delivery.topic.split("/")
    if verb == "fault":
        raise KeyError(key)
    if verb != "add":
        return {}
    before = (delivery.described or {}).get(key, b"")
    return {key: Description(before + delivery.payload if delivery.payload else b"", owner="one")}


def decode(_delivery: Delivery, _registry: Registry, _limits: Limits) -> Sequence[Decoded]:
    """A message is about no device."""
    return []


TOY = Format(
    "toy", (Subscription("toy/+/+", Lane.LIVE),), lambda _: (), decode, describing=Describing(needs, describes)
)
FORMATS = Formats(TOY)


def made(*messages: tuple[str, str], at: datetime = AT) -> list[Delivery]:
    return [Delivery(f"toy/{topic}", text.encode(), at, Lane.LIVE, 1, 1, 1) for topic, text in messages]


def store(
    conn: WriteConnection, *messages: tuple[str, str], limits: Limits = LIMITS, at: datetime = AT
) -> list[Mapping[str, bytes] | None]:
    """Keep what a batch describes; what each of its messages knew, in their order."""
    return [told.described for told in keep_descriptions(conn, made(*messages, at=at), FORMATS, limits)]


def kept(conn: WriteConnection) -> list[tuple[str, bytes]]:
    return conn.execute("select key, body from format_description order by key").fetchall()


def test_a_message_knows_what_those_before_it_in_its_batch_described(conn: WriteConnection) -> None:
    knew = store(conn, ("say/k", ""), ("add/k", "1"), ("say/k", " "), ("add/k", "2"), ("say/k", "  "), ("say/l", ""))
    assert knew == [{}, {}, {"k": b"1"}, {"k": b"1"}, {"k": b"12"}, {}]
    assert kept(conn) == [("k", b"12")]


def test_a_later_batch_knows_it_until_it_is_taken_back(conn: WriteConnection) -> None:
    store(conn, ("add/k", "1"))
    assert store(conn, ("say/k", "x"), ("add/k", ""), ("say/k", "y")) == [{"k": b"1"}, {"k": b"1"}, {}]
    assert kept(conn) == []


def test_what_a_batch_described_is_committed_with_it_or_not_at_all(conn: WriteConnection) -> None:
    def fail(_items: int) -> None:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        store_batch(conn, made(("add/k", "1")), LIMITS, consumer="t", at=AT, formats=FORMATS, on_decoded=fail)
    assert kept(conn) == []
    store_batch(conn, made(("add/k", "1")), LIMITS, consumer="t", at=AT, formats=FORMATS)
    assert kept(conn) == [("k", b"1")]


def test_a_mistake_of_ours_describes_nothing_and_stops_nobody(conn: WriteConnection) -> None:
    assert store(conn, ("fault/k", ""), ("add/k", "1"), ("say/k", "x")) == [{}, {}, {"k": b"1"}]


def test_keys_and_bodies_that_do_not_fit_are_not_kept(conn: WriteConnection) -> None:
    tight = replace(LIMITS, description_max_bytes=4)
    store(conn, ("add/k", "12345"), ("add/" + "l" * 513, "1"), ("add/\x00", "1"), ("add/m", "1234"), limits=tight)
    assert kept(conn) == [("m", b"1234")]


def test_an_owner_and_a_format_describe_so_many_things_and_renew_them(conn: WriteConnection) -> None:
    for tight in (replace(LIMITS, descriptions_per_owner_max=2), replace(LIMITS, descriptions_max=2)):
        store(conn, ("add/a", "1"), ("add/b", "1"), ("add/c", "1"), limits=tight)
        store(conn, ("add/d", "1"), ("add/a", "2"), limits=tight)
        assert kept(conn) == [("a", b"12"), ("b", b"1")]
        conn.execute("delete from format_description")


def test_what_nobody_described_again_goes(conn: WriteConnection) -> None:
    store(conn, ("add/old", "1"), ("add/again", "1"), at=AT - timedelta(days=500))
    store(conn, ("add/again", "2"), ("add/new", "1"), at=AT - timedelta(days=399))
    assert retain(conn, AT)["descriptions"] == 1
    assert [key for key, _ in kept(conn)] == ["again", "new"]


def test_the_same_word_again_is_written_once_a_day(conn: WriteConnection) -> None:
    def describe(at: datetime) -> object:
        store(conn, ("add/k", ""), ("add/k", "1"), at=at)
        [(described_at,)] = conn.execute("select described_at from format_description")
        return described_at

    assert describe(AT) == AT
    assert describe(AT + timedelta(hours=23)) == AT
    assert describe(AT + timedelta(hours=25)) == AT + timedelta(hours=25)
