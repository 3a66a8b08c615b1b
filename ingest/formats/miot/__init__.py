"""MIoT, the specification of Xiaomi's newer devices: through a bridge, and on the topics of Xiaomi's cloud and hubs."""

from ingest.formats.format import Subscription
from ingest.formats.miot.parse import name_device, parse
from ingest.formats.spoken import raw, spoken
from ingest.nouns import Lane

MIOT = raw("miot", parse, also=("miot-get-properties",))
MIOT_CLOUD = spoken(
    "miot-cloud",
    (
        Subscription("device/+/up/properties_changed/+/+", Lane.LIVE),
        Subscription("device/+/up/event_occured/+/+", Lane.LIVE),
        Subscription("device/+/state/#", Lane.LIVE),
        Subscription("+/appMsg/notify/iot/+/property/+", Lane.LIVE),
        Subscription("+/appMsg/notify/iot/+/event/+", Lane.LIVE),
    ),
    parse,
    who=name_device,
    also=("miot-cloud-mqtt", "miot-local-mqtt"),
    dialect_of="miot",
)
