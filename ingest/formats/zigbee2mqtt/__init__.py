"""Zigbee2MQTT, a hub that speaks for Zigbee devices of all makers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ingest.formats.describing import Describing, Description
from ingest.formats.fleets import Fleets, base_of, qualified
from ingest.formats.format import Format, Subscription
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.formats.zigbee2mqtt.devices import describe_devices, describe_groups
from ingest.formats.zigbee2mqtt.parse import needs_below, parse_below
from ingest.nouns import Delivery, Lane


def make_zigbee2mqtt(fleets: Fleets) -> Format:
    """The format of the hubs below these base topics."""
    bases = fleets.zigbee2mqtt_bases

    def parse(delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
        base = base_of(delivery.topic, bases)
        sayings = () if base is None else parse_below(base, delivery, described)
        return [_qualified(saying, base or "", bases) for saying in sayings]

    def needs(delivery: Delivery) -> Collection[str]:
        base = base_of(delivery.topic, bases)
        return () if base is None else needs_below(base, delivery)

    def describes(delivery: Delivery) -> Mapping[str, Description]:
        base = base_of(delivery.topic, bases)
        if base is None:
            return {}
        rest = delivery.topic.removeprefix(f"{base}/")
        return {**describe_groups(base, rest, delivery.payload), **describe_devices(base, rest, delivery.payload)}

    topics = [Subscription(f"{base}/#", Lane.LIVE) for base in bases]
    return spoken("zigbee2mqtt", topics, parse, also=("z2m",), describing=Describing(needs, describes))


def _qualified(saying: Saying, base: str, bases: tuple[str, ...]) -> Saying:
    """An address is one device's in the whole world, a name only at its hub."""
    if saying.other_names:
        return replace(saying, other_names=tuple(qualified(name, base, bases) for name in saying.other_names))
    is_address = saying.identity.startswith("0x") and len(saying.identity) == 18
    return saying if is_address else replace(saying, identity=qualified(saying.identity, base, bases))
