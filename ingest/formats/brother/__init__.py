"""Brother's printers, and others' over SNMP."""

from ingest.formats.brother.parse import parse
from ingest.formats.spoken import raw

BROTHER = raw("brother", parse, also=("printer-mib", "snmp"))
