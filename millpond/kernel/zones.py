"""Time zones: which names are known."""

from functools import cache
from importlib.resources import files

from millpond.kernel.errors import InvalidInput


def require_zone(time_zone: str) -> None:
    """Pass a name from the IANA database. Raises InvalidInput for any other."""
    if time_zone not in _known_zones():
        raise InvalidInput(f"{time_zone[:60]!r} is not a time zone like Europe/Berlin")


@cache
def _known_zones() -> frozenset[str]:
    """The names in the database of time zones, less its stand-in for none.

    What the machine offers is more: `localtime`, for one, means another zone on another machine.
    """
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split()) - {"Factory"}
