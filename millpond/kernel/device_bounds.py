"""The settings that say what one device, or all that are unknown, can make grow."""

from pydantic import BaseModel, Field


class DeviceBounds(BaseModel):
    """Limits in numbers and bytes; how fast a device may use them up, and for how long rows stay, is said elsewhere."""

    lobby_devices_max: int = Field(
        default=10_000,
        ge=1,
        description="Most unknown devices that wait in the lobby. The second half of the places is for those that come "
        "twice, a minute apart.",
    )
    lobby_device_messages_max: int = Field(
        default=10_000,
        ge=1,
        description="Most messages that wait of one unknown device; further ones are dropped and not acknowledged.",
    )
    lobby_device_bytes_max: int = Field(
        default=4_194_304, ge=1, description="The same in bytes, each message counted with what its rows cost."
    )
    lobby_bytes_max: int = Field(
        default=1_073_741_824,
        ge=1,
        description="Bytes for all unknown devices together; of the second half of it each has an equal share.",
    )
