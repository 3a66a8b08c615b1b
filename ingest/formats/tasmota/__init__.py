"""Tasmota, the firmware of many plugs and sensors."""

from collections.abc import Mapping, Sequence

from ingest.formats.fleets import Fleets
from ingest.formats.format import Format, Subscription
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.formats.tasmota.parse import parse_tasmota
from ingest.formats.tasmota.topics import filters_of
from ingest.nouns import Delivery, Lane


def make_tasmota(fleets: Fleets) -> Format:
    """The format of devices with these FullTopics, whose clocks go in this zone."""

    def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
        return parse_tasmota(fleets.tasmota_full_topics, fleets.tasmota_zone, delivery)

    topics = [
        Subscription(one, Lane.LIVE) for full_topic in fleets.tasmota_full_topics for one in filters_of(full_topic)
    ]
    return spoken("tasmota", topics, parse)
