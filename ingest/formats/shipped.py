"""The formats that ship: each has a module or a folder here, and one line below."""

from ingest.formats.brother import BROTHER
from ingest.formats.dyson import DYSON, DYSON_BROKER
from ingest.formats.ecovacs import ECOVACS
from ingest.formats.format import Formats
from ingest.formats.ipp import IPP
from ingest.formats.matter import MATTER
from ingest.formats.mihome import MIHOME
from ingest.formats.miio import MIIO
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.formats.miot import MIOT, MIOT_CLOUD
from ingest.formats.roborock import ROBOROCK
from ingest.formats.smartthings import SMARTTHINGS
from ingest.formats.tradfri import TRADFRI
from ingest.formats.tuya import TUYA
from ingest.formats.vesync import VESYNC

FORMATS = Formats(
    MILLPOND_V1,
    MIIO,
    MIOT,
    MIOT_CLOUD,
    MIHOME,
    ROBOROCK,
    ECOVACS,
    DYSON,
    DYSON_BROKER,
    MATTER,
    IPP,
    BROTHER,
    SMARTTHINGS,
    TUYA,
    VESYNC,
    TRADFRI,
)
