"""Dyson's purifiers, fans and vacuums: through a bridge, and on the topics of the broker that is in each of them."""

from ingest.formats.dyson.parse import name_device, parse
from ingest.formats.format import Subscription
from ingest.formats.spoken import raw, spoken
from ingest.nouns import Lane

DYSON = raw("dyson", parse)
DYSON_BROKER = spoken(
    "dyson-broker",
    (Subscription("+/+/status/current", Lane.LIVE), Subscription("+/+/status/faults", Lane.LIVE)),
    parse,
    who=name_device,
    dialect_of="dyson",
)
