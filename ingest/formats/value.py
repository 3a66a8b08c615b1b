"""One metric's value against what the model says of that metric."""

import math
from collections.abc import Mapping
from typing import Any, assert_never

from devices.nouns import Metric, MetricKind
from devices.salvage import UNREADABLE
from devices.wire import is_text, quote
from ingest.nouns import Rejection

_STATE_MAX = 64


def check_value(metrics: Mapping[str, Metric], model: str, name: str, raw: Any) -> float | str | Rejection:
    """The value in the metric's unit (a boolean as 0 or 1, a state as text), or why it is none."""
    metric = metrics.get(name)
    if metric is None:
        return _unknown(metrics, model, name)
    if isinstance(raw, dict):
        if raw.keys() != {"value", "unit"}:
            return Rejection("malformed", f"{name} is an object without just value and unit")
        if raw["unit"] != metric.unit:
            return Rejection("wrong_unit", f"{name} is in {quote(raw['unit'])}, its unit is {metric.unit!r}")
        raw = raw["value"]
    if raw is UNREADABLE:
        return Rejection("unreadable", f"{name} cannot be read")
    match metric.kind:
        case MetricKind.NUMBER:
            return _check_number(metric, raw)
        case MetricKind.BOOLEAN:
            return float(raw) if isinstance(raw, bool) else Rejection("wrong_kind", f"{name} is not true or false")
        case MetricKind.STATE:
            return _check_state(metric, raw)
        case _:
            assert_never(metric.kind)


def _check_number(metric: Metric, raw: Any) -> float | Rejection:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return Rejection("wrong_kind", f"{metric.name} is not a number")
    try:
        value = float(raw)
    except OverflowError:
        return Rejection("out_of_range", f"{metric.name} is larger than any number we store")
    if not math.isfinite(value):
        return Rejection("not_finite", f"{metric.name} is {value}")
    low, high = metric.min_value, metric.max_value
    if (low is not None and value < low) or (high is not None and value > high):
        least, most = ("any" if bound is None else f"{bound:g}" for bound in (low, high))
        return Rejection("out_of_range", f"{metric.name} is {value:g} {metric.unit}, it can be {least} to {most}")
    return value


def _check_state(metric: Metric, raw: Any) -> str | Rejection:
    if not isinstance(raw, str):
        return Rejection("wrong_kind", f"{metric.name} is not a text")
    if not raw or len(raw) > _STATE_MAX or "\x00" in raw or not is_text(raw):
        return Rejection("out_of_range", f"{metric.name} is not 1 to {_STATE_MAX} characters without NUL")
    if metric.states is not None and raw not in metric.states:
        return Rejection("out_of_range", f"{metric.name} is {raw!r}, it can be {', '.join(metric.states)}")
    return raw


def _unknown(metrics: Mapping[str, Metric], model: str, name: str) -> Rejection:
    """A metric the model does not have; where only the unit in its name is another, that is said."""
    stem, _, unit = name.rpartition("_")
    for known in metrics.values():
        if stem and known.unit and known.name.rpartition("_")[0] == stem:
            return Rejection("wrong_unit", f"{model} has {stem} in {known.unit} ({known.name}), not in {unit[:40]}")
    return Rejection("unknown_metric", f"{model} has no metric {name[:64]!r}")
