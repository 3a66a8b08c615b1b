"""Roborock's vacuums."""

from ingest.formats.roborock.parse import parse
from ingest.formats.spoken import raw

ROBOROCK = raw("roborock", parse)
