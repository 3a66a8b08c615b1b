"""What a message in a fleet's own language says, before anybody asks what its properties mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.nouns import Ask, Delivery, Rejection


@dataclass(frozen=True, slots=True)
class Suspect:
    """A raw value that is said and not believed, and why: it becomes no reading."""

    raw: Any
    why: str


@dataclass(frozen=True, slots=True)
class Saying:
    """What one message says of one device, at one moment.

    `identity` is what the language calls the device. `values` has the raw JSON values by the language's own names, a
    path with dots where they are nested (`ENERGY.Total`); a profile of the device's model says what they mean.
    `said_at` is the device's time as `devices.wire_time.parse_ts` takes it (epoch milliseconds, or RFC 3339 with an
    offset); None when the message has none that can be known. `online` is set when it says that the device came or
    went, with the `session` in which it did. `model` is what it says that the device is. `rejections` are of parts of
    the message that cannot be read. `other_names` are what else the language calls the same device, in the order in
    which they are looked up when nobody is called `identity`.
    `asks` is what is to be published once the message is stored. `suspects` has what is said and not believed, by name.
    """

    identity: str
    values: Mapping[str, Any] = field(default_factory=dict)
    said_at: int | str | None = None
    online: bool | None = None
    session: str = ""
    model: str = ""
    rejections: tuple[Rejection, ...] = ()
    other_names: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    suspects: Mapping[str, Suspect] = field(default_factory=dict)


# The mapping has what earlier messages of the language described (Homie's attributes, Sparkplug's births, Home
# Assistant's discovery): bodies by key, empty for a language that describes nothing. Pure; raises ValueError with one
# sentence when the payload is none of the language's.
Parse = Callable[[Delivery, Mapping[str, bytes]], Sequence[Saying]]
