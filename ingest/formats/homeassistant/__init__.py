"""Home Assistant's MQTT discovery: whatever describes itself to it, on the topics that the operator allows."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from ingest.formats.describing import Describing, Description
from ingest.formats.fleets import Fleets
from ingest.formats.format import Format, Subscription, compile_filters
from ingest.formats.homeassistant.config import Entity, read_config
from ingest.formats.homeassistant.parse import read_entities, refuse_templates, say_values, write_entities
from ingest.formats.saying import Saying
from ingest.formats.spoken import spoken
from ingest.nouns import Delivery, Lane


def make_homeassistant(fleets: Fleets) -> Format:
    """The format of configs below these prefixes, and of the topics that may have values.

    Without any such topic it is of no use to ingest, which then does not listen to it.
    """
    prefixes = fleets.homeassistant_prefixes
    configs = [Subscription(f"{prefix}/{path}/config", Lane.LIVE) for prefix in prefixes for path in ("+/+", "+/+/+")]
    states = [Subscription(one, Lane.LIVE) for one in fleets.homeassistant_state_topics]
    is_config, is_state = compile_filters(configs), compile_filters(states)

    def entities(delivery: Delivery) -> list[Entity]:
        """What a config describes, on topics that are allowed; on any where it is only looked at, since none is."""
        if not delivery.payload or not is_config.fullmatch(delivery.topic):
            return []
        prefix = next(one for one in prefixes if delivery.topic.startswith(f"{one}/"))
        found = read_config(delivery.topic, prefix, delivery.payload)
        return [entity for entity in found if not states or is_state.fullmatch(entity.topic)]

    def parse(delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
        if is_config.fullmatch(delivery.topic):
            return refuse_templates(entities(delivery))
        return say_values(delivery, described.get(delivery.topic, b""))

    def needs(delivery: Delivery) -> Collection[str]:
        if is_config.fullmatch(delivery.topic):
            return {entity.topic for entity in entities(delivery)}
        return [delivery.topic]

    def describes(delivery: Delivery) -> Mapping[str, Description]:
        return dict(_described(delivery, entities(delivery)))

    return spoken(
        "homeassistant",
        [*configs, *states],
        parse,
        also=("ha", "ha mqtt discovery", "home assistant mqtt discovery"),
        describing=Describing(needs, describes),
    )


def _described(delivery: Delivery, found: Sequence[Entity]) -> Iterator[tuple[str, Description]]:
    """The entities of each topic: those of this config, and of others what was known."""
    for topic in {entity.topic: None for entity in found}:
        own = [entity for entity in found if entity.topic == topic and entity.is_read]
        others = read_entities((delivery.described or {}).get(topic, b""), but=delivery.topic)
        kept = [*others, *((entity, delivery.topic) for entity in own)]
        owner = found[0].device
        yield topic, Description(write_entities(kept) if kept else b"", owner)
