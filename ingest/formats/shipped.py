"""The formats that ship: each has a module or a folder here, and one line below."""

from collections.abc import Sequence
from functools import cache

from ingest.formats.brother import BROTHER
from ingest.formats.dyson import DYSON, DYSON_BROKER
from ingest.formats.ecovacs import ECOVACS
from ingest.formats.esphome import make_esphome
from ingest.formats.fleets import Fleets
from ingest.formats.format import Format, Formats
from ingest.formats.homeassistant import make_homeassistant
from ingest.formats.homie import make_homie
from ingest.formats.installed import Installed, load_installed
from ingest.formats.ipp import IPP
from ingest.formats.matter import MATTER
from ingest.formats.mihome import MIHOME
from ingest.formats.miio import MIIO
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.formats.miot import MIOT, MIOT_CLOUD
from ingest.formats.roborock import ROBOROCK
from ingest.formats.shelly import make_shelly
from ingest.formats.smartthings import SMARTTHINGS
from ingest.formats.sparkplug import SPARKPLUG
from ingest.formats.tasmota import make_tasmota
from ingest.formats.tradfri import TRADFRI
from ingest.formats.tuya import TUYA
from ingest.formats.valetudo import make_valetudo
from ingest.formats.vesync import VESYNC
from ingest.formats.zigbee2mqtt import make_zigbee2mqtt
from millpond.kernel.errors import ConfigurationError, InvalidInput
from millpond.kernel.settings import Settings

# Whose messages stand below our own topics, or below one of their own that nobody sets otherwise.
_FIXED = (
    MILLPOND_V1,
    MIIO,
    MIOT,
    MIOT_CLOUD,
    MIHOME,
    ROBOROCK,
    ECOVACS,
    DYSON,
    MATTER,
    IPP,
    BROTHER,
    SMARTTHINGS,
    SPARKPLUG,
    TUYA,
    VESYNC,
    TRADFRI,
)


def make_formats(fleets: Fleets = Fleets(), others: Sequence[Format] = ()) -> Formats:
    """All of them, with the topics that fleets keep of their own, and `others` that do not ship.

    A topic is read by the first that has it, so those whose topics may begin with anything come last.
    """
    return Formats(
        *_FIXED,
        *others,
        make_zigbee2mqtt(fleets),
        make_valetudo(fleets),
        make_homie(fleets),
        make_tasmota(fleets),
        DYSON_BROKER,
        make_shelly(fleets),
        make_esphome(fleets),
        make_homeassistant(fleets),
    )


FORMATS = make_formats()


def known_formats(settings: Settings) -> Formats:
    """Those that ship, and those of other packages that are installed."""
    return make_formats(Fleets.from_settings(settings), installed_formats().formats)


def language_named(settings: Settings, name: str) -> str:
    """The language that somebody means by a format's name, however it is spelt. Raises InvalidInput."""
    formats = known_formats(settings)
    one = formats.find(name)
    if one is None:
        raise InvalidInput(f"no format is called {name[:64]!r}; there are {', '.join(formats.names)}")
    return one.language


@cache
def installed_formats() -> Installed:
    """The formats of other packages, looked for once."""
    return load_installed(FORMATS.names)


def listened_formats(settings: Settings) -> Formats:
    """Those that the operator wants to be listened to. Raises ConfigurationError for a name that is none."""
    formats, fleets = known_formats(settings), Fleets.from_settings(settings)
    spoken = [one.language for one in formats.all if one.name != "homeassistant" or fleets.homeassistant_state_topics]
    try:
        return formats.named(*(fleets.listened or spoken))
    except KeyError as error:
        known = ", ".join(dict.fromkeys(one.language for one in formats.all))
        raise ConfigurationError(f"MILLPOND_FORMATS names {error.args[0]}, which is none of {known}") from None
