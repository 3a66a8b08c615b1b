"""What readers of makers' JSON share: JSON within a text, numbers that come as texts, nested values as flat names."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devices.wire import PREFIX, parse_json, quote
from ingest.formats.saying import Saying, Suspect
from ingest.nouns import Delivery, Rejection

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,15})?")
_DEPTH_MAX = 6
_NAME_MAX = 128
_WORDS = ("message", "msg", "details", "debug")


@dataclass(frozen=True, slots=True)
class Said:
    """One value by the language's own name for it, and when the language says that it was so.

    A value that is said and not believed is a `Suspect`.
    """

    at: int | str | None
    name: str
    value: Any


def read_json(payload: bytes) -> Any:
    """The JSON of a payload; ValueError with one sentence when it is none."""
    try:
        return parse_json(payload)
    except ValueError as error:
        raise ValueError(f"the payload is not JSON: {error}") from None


def bridged(delivery: Delivery) -> str:
    """Whose message a bridge published (`millpond/v1/{serial}/raw/{format}`): the serial in the topic, else empty."""
    levels = delivery.topic.split("/")
    return levels[2] if len(levels) == 5 and delivery.topic.startswith(f"{PREFIX}/") else ""


def as_number(raw: Any) -> Any:
    """A number that came as a text, such as `"0100"` or `"-3.5"`, as a number; anything else as it is."""
    if not isinstance(raw, str) or _NUMBER.fullmatch(raw) is None:
        return raw
    return float(raw) if "." in raw else int(raw)


def as_content(raw: Any) -> Any:
    """What a text says that is itself JSON of an object or a list; anything else as it is."""
    if not isinstance(raw, str) or not raw.lstrip().startswith(("{", "[")):
        return raw
    try:
        return parse_json(raw.encode())
    except ValueError:
        return raw


def flatten(content: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Each single value that is there, by its path with dots; null, and what lies deeper than six levels, is not."""
    if content is None or len(name) > _NAME_MAX or depth > _DEPTH_MAX:
        return
    if isinstance(content, dict | list):
        pairs = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in pairs:
            yield from flatten(value, f"{name}.{key}" if name else str(key), depth + 1)
    else:
        yield name, content


def require_object(content: Any, what: str) -> Mapping[str, Any]:
    """`content`, which has to be an object; ValueError says that `what` is none."""
    if not isinstance(content, dict):
        raise ValueError(f"{what} is {quote(content)}, not an object")
    return content


def refuse_error(answer: Mapping[str, Any]) -> None:
    """ValueError when an answer is an error: with an `error`, or with a code other than 0 and no result."""
    error, code = answer.get("error"), as_number(answer.get("code", 0))
    failed = isinstance(code, int) and code != 0 and answer.get("result") is None and answer.get("data") is None
    if error is None and not failed:
        return
    about = error if isinstance(error, dict) else answer if error is None else {"message": error, "code": code or None}
    words = next((quote(about[key]) for key in _WORDS if isinstance(about.get(key), str | int)), "")
    number = "" if about.get("code") is None else f"code {quote(about['code'])}"
    said = ", ".join(filter(None, [words, number])) or quote(error)
    raise ValueError(f"the device answered with the error {said}")


def refuse_item(index: int, item: Any, want: str) -> Rejection:
    """Why one item of a list is passed over: it is not what the language has there."""
    return Rejection("malformed", f"item {index} is {quote(item)}, not {want}", f"#{index}")


def seconds_to_ms(raw: Any) -> int | None:
    """A time in seconds since 1970 as milliseconds; None when it is no such time."""
    number = as_number(raw)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1e11:
        return None
    return int(number * 1000)


def say_by_time(identity: str, found: Iterable[Said | Rejection]) -> list[Saying]:
    """One saying for each time that values were said at, in the order in which the times came; one at least."""
    by_time: dict[int | str | None, dict[str, Any]] = {}
    refused = []
    for item in found:
        if isinstance(item, Rejection):
            refused.append(item)
        else:
            by_time.setdefault(item.at, {}).setdefault(item.name, item.value)
    sayings = [_say(identity, at, values) for at, values in by_time.items()]
    if refused or not sayings:
        sayings.append(Saying(identity, rejections=tuple(refused)))
    return sayings


def _say(identity: str, at: int | str | None, found: Mapping[str, Any]) -> Saying:
    values = {name: value for name, value in found.items() if not isinstance(value, Suspect)}
    suspects = {name: value for name, value in found.items() if isinstance(value, Suspect)}
    return Saying(identity, values, at, suspects=suspects)
