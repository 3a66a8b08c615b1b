"""The Mi Home app's page of consumables."""

from ingest.formats.mihome.parse import parse
from ingest.formats.spoken import raw

MIHOME = raw("mihome", parse, also=("mi-home", "mi-home-consumable-page", "consumable-page"))
