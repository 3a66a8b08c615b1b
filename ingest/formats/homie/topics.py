"""Homie's topics, of its version 4 (`{base}/{device}/…`) and of its version 5 (`{base}/5/{device}/…`)."""

from dataclasses import dataclass

_VERSION_5 = "5"


@dataclass(frozen=True, slots=True)
class HomieTopic:
    """Whose topic it is, and what follows: attributes begin with a dollar."""

    base: str
    device: str
    path: tuple[str, ...]

    @property
    def is_property(self) -> bool:
        """Whether it carries the value of a property."""
        return len(self.path) == 2 and not any(level.startswith("$") for level in self.path)

    @property
    def key(self) -> str:
        """Under which a property's type is described."""
        return "/".join((self.base, self.device, *self.path[:2]))


def filters_of(base: str) -> list[str]:
    """The topic filters of values, states and types; of version 5 the first has states and descriptions, too."""
    return [f"{base}/+/+/+", f"{base}/+/$state", f"{base}/+/+/+/$datatype", f"{base}/{_VERSION_5}/+/+/+"]


def read_topic(base: str, topic: str) -> HomieTopic | None:
    """A topic below a base; None when it names no device, or is a command or what a device was asked for.

    A device of version 4 may be called 5: its values have one level less.
    """
    levels = topic.removeprefix(f"{base}/").split("/")
    if levels[0] == _VERSION_5 and (len(levels) == 4 or (len(levels) == 3 and levels[2].startswith("$"))):
        levels = levels[1:]
    device, *path = levels
    if not device or device.startswith("$") or not path:
        return None
    return HomieTopic(base, device, tuple(path))
