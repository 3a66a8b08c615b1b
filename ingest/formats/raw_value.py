"""The raw value of a property as its metric takes it: what stands for others, digits in a text, another unit."""

import math
import re
from typing import Any

from devices.nouns import Meaning, Metric, MetricKind
from devices.speech import write_raw

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
_NUMBER_MAX = 400
TRUTHS = {"true": True, "false": False, "on": True, "off": False, "1": True, "0": False}
# What more digits would say of a converted value is noise: 259,198 minutes are no exact number of hours.
_DIGITS = 12


def has_value(meaning: Meaning, raw: Any) -> bool:
    """Whether it is a value at all: null is none, and what the profile says is none."""
    return raw is not None and (isinstance(raw, dict | list) or write_raw(raw) not in meaning.none)


def read_raw(meaning: Meaning, metric: Metric, raw: Any) -> Any:
    """The value as `check_value` takes it, in the metric's unit. What cannot be read stays as it is: it is refused."""
    if not isinstance(raw, bool | int | float | str):
        return raw
    stands_for = meaning.values.get(write_raw(raw))
    if stands_for is not None:
        return stands_for
    match metric.kind:
        case MetricKind.BOOLEAN:
            return TRUTHS.get(write_raw(raw).strip().lower(), raw)
        case MetricKind.STATE:
            return write_raw(raw)
        case MetricKind.NUMBER:
            return _scale(meaning, read_number(raw))


def read_number(raw: Any) -> Any:
    """The number that a text is; what is none stays as it is."""
    if not isinstance(raw, str) or len(raw) > _NUMBER_MAX or not _NUMBER.fullmatch(raw):
        return raw
    return float(raw)


def _scale(meaning: Meaning, raw: Any) -> Any:
    if isinstance(raw, bool | str) or (meaning.scale, meaning.offset) == (1, 0):
        return raw
    try:
        scaled = raw * meaning.scale + meaning.offset
    except OverflowError:
        return raw
    return float(f"{scaled:.{_DIGITS}g}") if math.isfinite(scaled) else scaled
