"""Sparkplug B, the specification by which industry's gateways speak for their devices."""

from collections.abc import Collection, Mapping, Sequence

from ingest.formats.describing import Describing, Description
from ingest.formats.format import Subscription
from ingest.formats.saying import Saying
from ingest.formats.sparkplug.parse import say
from ingest.formats.sparkplug.payload import read_payload
from ingest.formats.sparkplug.session import describe, keys_of, recall
from ingest.formats.sparkplug.topics import FILTERS, read_topic
from ingest.formats.spoken import spoken
from ingest.nouns import Delivery, Lane


def parse(delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says; ValueError when it cannot be read."""
    topic = read_topic(delivery.topic)
    if topic is None or not delivery.payload:
        return []
    session, at_ms = recall(topic, described), int(delivery.received_at.timestamp() * 1000)
    return say(topic, read_payload(delivery.payload), session, at_ms, again=delivery.redelivered)


def needs(delivery: Delivery) -> Collection[str]:
    """What must be known of whoever speaks."""
    topic = read_topic(delivery.topic)
    return () if topic is None else keys_of(topic)


def describes(delivery: Delivery) -> Mapping[str, Description]:
    """What is to be remembered of whoever speaks."""
    topic = read_topic(delivery.topic)
    if topic is None or not delivery.payload:
        return {}
    session = recall(topic, delivery.described or {})
    return describe(topic, read_payload(delivery.payload), session, again=delivery.redelivered)


def who(topic: str) -> str | None:
    """Whom a topic speaks of; of a will it is its payload that says who leaves with the node."""
    found = read_topic(topic)
    return None if found is None or found.what == "NDEATH" else found.identity


SPARKPLUG = spoken(
    "sparkplug",
    [Subscription(one, Lane.LIVE) for one in FILTERS],
    parse,
    who=who,
    also=("sparkplug b",),
    describing=Describing(needs, describes),
)
