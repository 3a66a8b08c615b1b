"""Valetudo, the local firmware of robot vacuums."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.formats.fleets import Fleets, base_of, qualified
from ingest.formats.format import Format, Subscription
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.formats.valetudo.parse import filters_of, parse_below
from ingest.nouns import Delivery, Lane


def make_valetudo(fleets: Fleets) -> Format:
    """The format of robots below these base topics."""
    bases = fleets.valetudo_bases

    def who(topic: str) -> str | None:
        base = base_of(topic, bases)
        return None if base is None else qualified(topic.removeprefix(f"{base}/").partition("/")[0], base, bases)

    def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
        base = base_of(delivery.topic, bases)
        sayings = () if base is None else parse_below(base, delivery)
        return [replace(saying, identity=qualified(saying.identity, base or "", bases)) for saying in sayings]

    topics = [Subscription(one, Lane.LIVE) for base in bases for one in filters_of(base)]
    return spoken("valetudo", topics, parse, who=who)
