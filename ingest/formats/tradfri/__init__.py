"""IKEA's gateways."""

from ingest.formats.spoken import raw
from ingest.formats.tradfri.parse import parse

TRADFRI = raw("tradfri", parse, also=("ikea-gateway-coap", "ikea-gateway", "dirigera"))
