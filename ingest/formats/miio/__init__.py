"""miIO, the older protocol of Xiaomi's devices and of many that are sold under its roof."""

from ingest.formats.miio.parse import parse
from ingest.formats.spoken import raw

MIIO = raw("miio", parse, also=("miio-legacy", "miio legacy get_prop"))
