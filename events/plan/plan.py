"""Holding events against the tracking plan. Everything is compiled once; to judge an event takes a few microseconds."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import jsonschema_rs
from msgspec.json import Decoder

from events.nouns import Call, Event
from events.plan.entries import Json, PlanFile, PlannedEvent
from events.plan.sentences import say
from millpond.kernel.errors import InvalidInput
from millpond.kernel.money import DECIMALS

_PROPERTIES = Decoder(dict[str, Any])
_FORMATS = {"currency": lambda text: text in DECIMALS}


class Plan:
    """The plan as it is in force: `events` by their names, and `schemas` as they are compiled, whole in themselves."""

    def __init__(self, files: Iterable[PlanFile]) -> None:
        """A later file wins over an earlier one. Raises InvalidInput for a schema that is none."""
        parts: Json = {}
        events: dict[str, PlannedEvent] = {}
        for each in files:
            parts |= each.parts
            events |= each.events
        self.events: Mapping[str, PlannedEvent] = MappingProxyType(events)
        self.schemas: Mapping[str, Json] = {name: _whole(event, parts) for name, event in events.items()}
        self._validators = {name: _compile(name, schema) for name, schema in self.schemas.items()}

    def judge(self, event: Event) -> str | None:
        """Why an event violates the plan, in one sentence that quotes nothing of it; None when it does not.

        The plan speaks of track calls. One of a name that it does not have violates nothing: see `knows`.
        """
        validator = self._validators.get(event.name) if event.call is Call.TRACK else None
        if validator is None:
            return None
        properties = _PROPERTIES.decode(event.properties)
        return None if validator.is_valid(properties) else say(next(validator.iter_errors(properties)))

    def knows(self, event: Event) -> bool:
        """Whether the plan says anything of such an event: only names of track calls can be unknown."""
        return event.call is not Call.TRACK or event.name in self.events


def _whole(event: PlannedEvent, parts: Json) -> Json:
    return {"type": "object", **event.properties, "$defs": parts}


def _compile(name: str, schema: Json) -> jsonschema_rs.Validator:
    try:
        return _make(schema)
    except jsonschema_rs.ValidationError as error:
        raise InvalidInput(f"the schema of {name!r} is none: {error.message}") from error


# A linear engine for patterns, and nothing is fetched, whatever a file says.
_make = partial(
    jsonschema_rs.Draft202012Validator,
    formats=_FORMATS,
    validate_formats=True,
    mask="it",
    offline=True,
    pattern_options=jsonschema_rs.RegexOptions(),
)
