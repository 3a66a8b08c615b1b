"""VeSync, the cloud of Levoit's devices."""

from ingest.formats.spoken import raw
from ingest.formats.vesync.parse import parse

VESYNC = raw("vesync", parse, also=("levoit",))
