"""Homie, the convention by which devices describe themselves, in its versions 4 and 5."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ingest.formats.describing import Describing, Description
from ingest.formats.fleets import Fleets, base_of, qualified
from ingest.formats.format import Format, Subscription
from ingest.formats.homie.parse import describe, parse_topic
from ingest.formats.homie.topics import HomieTopic, filters_of, read_topic
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.nouns import Delivery, Lane


def make_homie(fleets: Fleets) -> Format:
    """The format of devices below these base topics."""
    bases = fleets.homie_bases

    def read(topic: str) -> HomieTopic | None:
        base = base_of(topic, bases)
        return None if base is None else read_topic(base, topic)

    def parse(delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
        topic = read(delivery.topic)
        sayings = parse_topic(topic, delivery.payload, described) if topic and delivery.payload else ()
        return [replace(saying, identity=who(delivery.topic) or "") for saying in sayings]

    def who(topic: str) -> str | None:
        found = read(topic)
        return None if found is None else qualified(found.device, found.base, bases)

    def needs(delivery: Delivery) -> Collection[str]:
        topic = read(delivery.topic)
        return [topic.key] if topic and topic.is_property else ()

    def describes(delivery: Delivery) -> Mapping[str, Description]:
        topic = read(delivery.topic)
        return describe(topic, delivery.payload) if topic else {}

    topics = [Subscription(one, Lane.LIVE) for base in bases for one in filters_of(base)]
    return spoken("homie", topics, parse, who=who, describing=Describing(needs, describes))
