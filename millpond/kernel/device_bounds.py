"""The settings that say what one device, or all that are unknown, can make grow."""

from pydantic import BaseModel, Field


class DeviceBounds(BaseModel):
    """Limits in numbers and bytes, at once and by the hour; for how long rows stay is said elsewhere."""

    device_boots_max: int = Field(
        default=10_000,
        ge=10,
        description="Most boots whose numbers are kept of one device; retention takes those that were silent longest.",
    )
    device_made_up_times_per_day: int = Field(
        default=50_000,
        ge=0,
        description="Samples without a good time that one device may send in a day: a row keeps the time each is "
        "given. 0 is no limit.",
    )
    device_conflicts_per_day: int = Field(
        default=20_000,
        ge=0,
        description="Values that disagree with stored ones that one device may send in a day: each is kept aside. 0 is "
        "no limit.",
    )
    lobby_rule_devices_max: int = Field(
        default=10_000, ge=1, description="Most devices that one rule of the lobby admits; a person admits any."
    )
    quarantine_alarm_items_per_h: int = Field(
        default=1_000,
        ge=0,
        description="Items refused within an hour from which on `/ops`, the doctor and the metrics raise an alarm; "
        "0 never does.",
    )
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
    device_messages_per_s: float = Field(
        default=200,
        ge=0,
        description="Messages that one registered device may send in a second, in the long run. What is beyond this or "
        "the next four is dropped, counted and not acknowledged; 0 is no limit.",
    )
    device_messages_burst: int = Field(
        default=60_000, ge=1, description="Messages that one device may send at once, after as long a silence."
    )
    device_boots_per_h: int = Field(
        default=5_000, ge=0, description="Boots that one device may begin in an hour; 0 is no limit, here and below."
    )
    device_quarantine_bytes_per_day: int = Field(
        default=16_777_216, ge=0, description="Bytes that one device may fill of the quarantine in a day."
    )
    device_values_per_h: int = Field(
        default=10_000_000, ge=0, description="Metric values that one device may send in an hour."
    )
