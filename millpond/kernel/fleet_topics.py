"""The settings that say which fleets' languages are listened to, on which topics, and how much they may describe."""

from pydantic import BaseModel, Field, field_validator

from millpond.kernel.errors import InvalidInput
from millpond.kernel.zones import require_zone


class FleetTopics(BaseModel):
    """Topics as their users set them; of several each stands between commas."""

    formats: str = Field(
        default="all",
        description="Languages that ingest listens to, with commas (`millpond-v1,zigbee2mqtt`): those named, or `all`.",
    )
    zigbee2mqtt_base_topics: str = Field(
        default="zigbee2mqtt",
        description="Base topics of Zigbee2MQTT, with commas. Names at a second hub have its base topic before them.",
    )
    valetudo_base_topics: str = Field(default="valetudo", description="Topic prefixes of Valetudo, with commas.")
    tasmota_full_topics: str = Field(
        default="%prefix%/%topic%/,%topic%/%prefix%/", description="FullTopics of Tasmota devices, with commas."
    )
    tasmota_zone: str = Field(
        default="",
        description="Time zone in which Tasmota's clocks go, as `Europe/Berlin`. Without it a time that has no zone is "
        "unknown, and counts as when it came.",
    )
    shelly_prefixes: str = Field(
        default="+", description="Topic prefixes of Shelly devices, with commas; `+` is any of one level."
    )
    esphome_prefixes: str = Field(
        default="+", description="Topic prefixes of ESPHome nodes, with commas; `+` is any of one level."
    )
    homie_base_topics: str = Field(
        default="homie", description="Base topics of Homie's devices, with commas; version 5 has them above its `5`."
    )
    homeassistant_prefixes: str = Field(
        default="homeassistant", description="Discovery prefixes of Home Assistant, with commas."
    )
    homeassistant_state_topics: str = Field(
        default="",
        description="Topic filters, with commas, on which values may come that a Home Assistant config names; none by "
        "default. A topic that another language reads stays that one's.",
    )
    ask_again_s: float = Field(
        default=30,
        gt=0,
        description="Least seconds between two requests to the same edge node of Sparkplug for its birth.",
    )
    description_max_bytes: int = Field(
        default=65_536,
        ge=1024,
        le=1_048_576,
        description="Largest description (which number stands for which name, and the like) that a format keeps.",
    )
    descriptions_per_owner_max: int = Field(
        default=1_000, ge=1, description="Most descriptions that are kept of one device or hub."
    )
    descriptions_max: int = Field(default=200_000, ge=1, description="Most descriptions that are kept of one format.")

    @field_validator("tasmota_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            if zone:
                require_zone(zone)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        return zone
