"""Shelly's plugs, relays and sensors of all generations."""

from collections.abc import Mapping

from ingest.formats.describing import Describing, Description
from ingest.formats.fleets import Fleets
from ingest.formats.format import Format, Subscription
from ingest.formats.shelly.first import FILTERS
from ingest.formats.shelly.parse import describes_id, filters_of, needs, parse
from ingest.formats.spoken import spoken
from ingest.nouns import Delivery, Lane


def make_shelly(fleets: Fleets) -> Format:
    """The format of devices with these topic prefixes."""

    def describes(delivery: Delivery) -> Mapping[str, Description]:
        return {prefix: Description(source.encode(), prefix[:256]) for prefix, source in describes_id(delivery).items()}

    topics = [Subscription(one, Lane.LIVE) for prefix in fleets.shelly_prefixes for one in filters_of(prefix)]
    topics += [Subscription(one, Lane.LIVE) for one in FILTERS]
    return spoken("shelly", topics, parse, also=("shelly gen2",), describing=Describing(needs, describes))
