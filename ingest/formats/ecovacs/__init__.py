"""Ecovacs' vacuums."""

from ingest.formats.ecovacs.parse import parse
from ingest.formats.spoken import raw

ECOVACS = raw("ecovacs", parse, also=("deebot",))
