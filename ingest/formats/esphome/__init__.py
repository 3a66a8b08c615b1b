"""ESPHome, the firmware that people build their own devices with."""

from ingest.formats.esphome.parse import filters_of, node_of, parse
from ingest.formats.fleets import Fleets
from ingest.formats.format import Format, Subscription
from ingest.formats.spoken import spoken
from ingest.nouns import Lane


def make_esphome(fleets: Fleets) -> Format:
    """The format of nodes with these topic prefixes."""
    topics = [Subscription(one, Lane.LIVE) for prefix in fleets.esphome_prefixes for one in filters_of(prefix)]
    return spoken("esphome", topics, parse, who=node_of)
