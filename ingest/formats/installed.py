"""Formats that are not ours: whoever installs a package with an entry point in `millpond.formats` adds a language.

    [project.entry-points."millpond.formats"]
    acme = "acme_millpond:FORMAT"

The entry point is an `ingest.formats.format.Format`, as `spoken` and `raw` make it. What is broken is named, and stops
nothing.
"""

import logging
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points

from devices.wire import PREFIX
from ingest.formats.format import Format

GROUP = "millpond.formats"
_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_OURS = re.compile(rf"{PREFIX}/\+/(?:telemetry|backfill|status|ack|command)(?:/.*)?")


@dataclass(slots=True)
class Installed:
    """The formats of other packages, and a sentence for each that could not be taken in."""

    formats: list[Format] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def load_installed(taken: Collection[str], points: Iterable[EntryPoint] | None = None) -> Installed:
    """What is installed, by name; `taken` are the names of those that ship. Never raises, and logs what is broken."""
    installed = Installed()
    found = entry_points(group=GROUP) if points is None else points
    for point in sorted(found, key=lambda one: one.name):
        why = _take_in(point, {*taken, *(one.name for one in installed.formats)}, installed)
        if why is not None:
            fault = f"format {point.name} of {_package(point)} ({point.value}) is not read: {why}"
            _LOG.error(fault, extra={"event": "format_broken", "format": point.name})
            installed.faults.append(fault)
    return installed


def _take_in(point: EntryPoint, taken: Collection[str], installed: Installed) -> str | None:
    """Add the format of an entry point; why not, when it is none."""
    try:
        one = point.load()
    except Exception as error:  # Whatever another package does when it is imported, ours go on.
        return f"{type(error).__name__}: {error}"
    why = _find_fault(one, taken)
    if why is None:
        installed.formats.append(one)
    return why


def _find_fault(one: object, taken: Collection[str]) -> str | None:
    if not isinstance(one, Format):
        return f"it is a {type(one).__name__}, not a Format"
    if not _NAME.fullmatch(one.name):
        return f"its name {one.name[:40]!r} is not 1 to 64 small letters, digits, dots, dashes or underscores"
    if one.name in taken:
        return f"there is another format of the name {one.name}"
    if not one.subscriptions:
        return "it reads no topic"
    for topic_filter in (subscription.topic_filter for subscription in one.subscriptions):
        if topic_filter.startswith(("#", "+", "$")) or _OURS.fullmatch(topic_filter):
            return f"its topic filter {topic_filter!r} begins with a wildcard, or is one of ours"
    return None


def _package(point: EntryPoint) -> str:
    return "an unknown package" if point.dist is None else point.dist.name
