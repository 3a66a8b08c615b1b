"""Which metrics a sample names, and of which types their values are: checked once for all samples that look alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.nouns import Metric, MetricKind
from millpond.kernel.arrays import Floats, Ints

_TYPES = {MetricKind.NUMBER: float, MetricKind.BOOLEAN: bool, MetricKind.STATE: str}
# Whoever publishes makes up the order of names, and which are there.
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Shape:
    """Samples of one model with the same names in the same order, all of the type that their metrics have.

    `first` is where its metrics begin in the columns of `Shapes`, `states` are the names of those that are states.
    """

    first: int
    count: int
    states: tuple[str, ...]


class Shapes:
    """The shapes that were seen, and their metrics one after the other: ids, least and greatest values."""

    def __init__(self, metrics: Mapping[str, Mapping[str, Metric]]) -> None:
        self.metrics = metrics
        self._known: dict[object, Shape] = {}
        self._metrics: list[Metric] = []

    def find(self, model: str, values: Mapping[str, Any]) -> Shape | None:
        """The shape of a sample's values; None when one of them is of no metric, or of another type.

        Only what is a shape is remembered: of other names a message may have as many, and as long ones, as it likes.
        """
        if len(values) > len(self.metrics.get(model, ())):
            return None
        key = (model, tuple(values), tuple(map(type, values.values())))
        try:
            return self._known[key]
        except KeyError:
            shape = self._make(model, values)
            if shape is not None:
                self._known[key] = shape
            return shape

    def forget_when_many(self) -> None:
        """Begin anew when too many are known; nobody may hold one of them meanwhile."""
        if len(self._known) > _MOST:
            self._known, self._metrics = {}, []

    def columns(self) -> tuple[Ints, Floats, Floats]:
        """Of the metrics of all shapes: ids, and the least and the greatest value that each can have."""
        low = (-np.inf if metric.min_value is None else metric.min_value for metric in self._metrics)
        high = (np.inf if metric.max_value is None else metric.max_value for metric in self._metrics)
        ids = [metric.metric_id for metric in self._metrics]
        return np.array(ids, np.int64), np.array([*low], np.float64), np.array([*high], np.float64)

    def _make(self, model: str, values: Mapping[str, Any]) -> Shape | None:
        of_model = self.metrics.get(model, {})
        named = ((of_model.get(name), raw) for name, raw in values.items())
        fit = [metric for metric, raw in named if metric is not None and type(raw) is _TYPES[metric.kind]]
        if len(fit) < len(values) or not fit:
            return None
        shape = Shape(len(self._metrics), len(fit), tuple(m.name for m in fit if m.kind is MetricKind.STATE))
        self._metrics += fit
        return shape
