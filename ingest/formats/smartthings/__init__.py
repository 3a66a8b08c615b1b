"""SmartThings, Samsung's cloud."""

from ingest.formats.smartthings.parse import parse
from ingest.formats.spoken import raw

SMARTTHINGS = raw("smartthings", parse)
