"""Tuya's data points."""

from ingest.formats.spoken import raw
from ingest.formats.tuya.parse import parse

TUYA = raw("tuya", parse)
