"""Payloads that are one value as a text, as ESPHome, Valetudo and Homie publish them."""

import re

from devices.wire import is_text, quote
from ingest.formats.json_values import as_number

_TEXT_MAX = 1_024
_EXPONENT = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?[eE][+-]?\d{1,2}")
_DURATION = re.compile(r"PT(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.\d+)?S)?")
_BOOLEANS = {"true": True, "false": False}
# What devices publish when they have measured nothing.
_NOTHING = frozenset({"", "nan", "-nan", "null", "none", "unknown", "unavailable", "inf", "-inf"})


def read_text(payload: bytes) -> str:
    """A payload as a text; ValueError with one sentence when it is none, or longer than any value."""
    if len(payload) > _TEXT_MAX:
        raise ValueError(f"the payload has {len(payload):,} bytes, a single value has at most {_TEXT_MAX:,}")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise ValueError("the payload is not a text in UTF-8") from None
    return text.rstrip("\0").strip()


def as_value(text: str) -> float | bool | str | None:
    """A text as the number, the true or false, or the seconds that it says; None when it says that there is no value.

    `PT1H30M` is a duration as ISO 8601 writes it: 5400 seconds.
    """
    if text.lower() in _NOTHING:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _EXPONENT.fullmatch(text):
        return float(text)
    if (match := _DURATION.fullmatch(text)) and text != "PT":
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    value: float | str = as_number(text)
    return value


def read_presence(payload: bytes, there: str, gone: str) -> bool:
    """Whether a device says that it is there; ValueError when it says neither of both words, in whatever case."""
    word = read_text(payload).lower()
    if word not in (there.lower(), gone.lower()):
        raise ValueError(f"the payload is {quote(word)}, neither {there!r} nor {gone!r}")
    return word == there.lower()


def is_name(text: str) -> bool:
    """Whether a text can be what a device is called."""
    return 0 < len(text) <= 256 and "\0" not in text and is_text(text)
