"""Matter, as a controller holds its nodes."""

from ingest.formats.matter.directions import DIRECTIONS
from ingest.formats.matter.parse import parse
from ingest.formats.spoken import raw

MATTER = raw("matter", parse, also=("matter-server", "chip-tool", "matter.js"), describing=DIRECTIONS)
