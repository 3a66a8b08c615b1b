"""What is wrong with an event, in one sentence that names the property and quotes nothing: it may be personal."""

from collections.abc import Callable, Sequence
from typing import Any

import jsonschema_rs

Said = dict[str, Any]
_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


_WORDS: dict[str, Callable[[Said], str]] = {
    "type": lambda said: f"must be {' or '.join(_TYPES[name] for name in said['types'])}",
    "minimum": lambda said: f"must be {said['limit']} or more",
    "maximum": lambda said: f"must be {said['limit']} or less",
    "maxItems": lambda said: f"must have {said['limit']} entries or fewer",
    "minItems": lambda said: f"must have {said['limit']} entries or more",
    "maxLength": lambda said: f"must have {said['limit']} characters or fewer",
    "minLength": lambda said: f"must have {said['limit']} characters or more",
    "enum": lambda said: f"must be one of {', '.join(map(str, said['options']))}",
}


def say(error: jsonschema_rs.ValidationError) -> str:
    """The sentence of a violation: `products[1].price must be 0 or more`."""
    name, said, place = error.kind.name, error.kind.as_dict(), _place(error.instance_path)
    if name == "required":
        return f"{place or 'the event'} has no {said['property']}"
    if name == "anyOf" and (missing := _missing(said["context"])):
        return f"{place or 'the event'} has neither {' nor '.join(missing)}"
    if name == "format" and said["format"] == "currency":
        return f"{place} must be a currency in use by its ISO 4217 code, like EUR or KRW"
    words = _WORDS.get(name)
    return f"{place or 'the event'} {words(said)}" if words else f"{place or 'the event'}: {error.message}"


def _missing(context: Sequence[Sequence[jsonschema_rs.ValidationError]]) -> list[str]:
    """What each of some alternatives lacks; nothing when one is about something else than a missing property."""
    found = [errors[0].kind.as_dict().get("property") for errors in context if len(errors) == 1]
    return [str(name) for name in found] if len(found) == len(context) and all(found) else []


def _place(path: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
