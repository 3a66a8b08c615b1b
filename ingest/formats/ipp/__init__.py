"""IPP, by which printers say what is left of their supplies."""

from ingest.formats.ipp.parse import parse
from ingest.formats.spoken import raw

IPP = raw("ipp", parse, also=("internet-printing-protocol",))
