"""Where each language's messages stand at a broker, which their users may set otherwise, and which are listened to."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from millpond.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class Fleets:
    """The topics of fleets that keep their own, as the operator set them.

    Names of devices below the first of several base topics stand alone; below another, that comes before them.
    """

    listened: tuple[str, ...] = ()
    zigbee2mqtt_bases: tuple[str, ...] = ("zigbee2mqtt",)
    valetudo_bases: tuple[str, ...] = ("valetudo",)
    tasmota_full_topics: tuple[str, ...] = ("%prefix%/%topic%/", "%topic%/%prefix%/")
    tasmota_zone: ZoneInfo | None = None
    shelly_prefixes: tuple[str, ...] = ("+",)
    esphome_prefixes: tuple[str, ...] = ("+",)
    homie_bases: tuple[str, ...] = ("homie",)
    homeassistant_prefixes: tuple[str, ...] = ("homeassistant",)
    homeassistant_state_topics: tuple[str, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> "Fleets":
        """As the operator set it; an empty text of topics is none."""
        return cls(
            () if settings.formats == "all" else _parts(settings.formats),
            _parts(settings.zigbee2mqtt_base_topics),
            _parts(settings.valetudo_base_topics),
            _parts(settings.tasmota_full_topics),
            ZoneInfo(settings.tasmota_zone) if settings.tasmota_zone else None,
            _parts(settings.shelly_prefixes),
            _parts(settings.esphome_prefixes),
            _parts(settings.homie_base_topics),
            _parts(settings.homeassistant_prefixes),
            _parts(settings.homeassistant_state_topics),
        )


def qualified(name: str, base: str, bases: tuple[str, ...]) -> str:
    """What a device is called whose name is unique below its base topic only."""
    return name if base == bases[0] else f"{base}/{name}"


def base_of(topic: str, bases: tuple[str, ...]) -> str | None:
    """The base topic that a topic lies below, None when it lies below none of them."""
    return next((base for base in bases if topic.startswith(f"{base}/")), None)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.rstrip("/") if "%" not in part else part for part in text.replace(",", " ").split())
