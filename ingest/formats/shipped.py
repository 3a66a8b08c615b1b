"""The formats that ship: each has a module or a folder here, and one line below."""

from ingest.formats.format import Formats
from ingest.formats.millpond_v1 import MILLPOND_V1

FORMATS = Formats(MILLPOND_V1)
