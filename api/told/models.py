"""Device models, as operators are told: what they measure, what is used up in them, and what they speak."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from api.models import Out
from devices.models import DeviceModel
from devices.nouns import Measure, Metric, MetricKind, ModelPart


class DeviceModelOut(Out):
    """A model; `names` by language, `en` is always there."""

    model: str
    names: dict[str, str]
    category: str
    sku: str | None
    also: Annotated[list[str], Field(description="What hubs and makers call it.")]
    speaks: Annotated[list[str], Field(description="The languages in which its properties are known.")]


class MetricOut(Out):
    """One thing that it measures, in one fixed unit; a range has both ends."""

    name: str
    kind: MetricKind
    unit: str
    min_value: float | None
    max_value: float | None
    states: list[str] | None


class LimitOut(Out):
    """How a metric speaks of the part; `capacity` is in the metric's unit."""

    metric: str
    measure: Measure
    capacity: float | None
    unit: str
    quantum: float
    most_per_day: float | None
    due: list[str]


class PartOut(Out):
    """A place for a consumable, with all that limits it."""

    part: str
    consumable: str
    sku: str
    threshold_pct: float
    prior_life_days: float
    limits: list[LimitOut]


class SpokenOut(Out):
    """What a property means: the raw value times `scale` plus `offset` is the metric's."""

    language: str
    said: str
    metric: str
    unit: str
    scale: float
    offset: float
    none: list[str]
    values: dict[str, bool | float | str]


class DeviceModelDetail(DeviceModelOut):
    """With all that its profile says."""

    metrics: list[MetricOut]
    parts: list[PartOut]
    properties: list[SpokenOut]


def show_model(one: DeviceModel) -> DeviceModelOut:
    """A model in a list."""
    return DeviceModelOut(
        model=one.model, names=one.name, category=one.category, sku=one.sku, also=one.also, speaks=sorted(one.speaks)
    )


def show_whole_model(one: DeviceModel, metrics: Sequence[Metric], parts: Sequence[ModelPart]) -> DeviceModelDetail:
    """A model with what its profile says."""
    return DeviceModelDetail(
        **show_model(one).model_dump(),
        metrics=[MetricOut.model_validate(metric) for metric in metrics],
        parts=[show_part(part) for part in parts],
        properties=show_properties(one),
    )


def show_part(part: ModelPart) -> PartOut:
    """A place for a consumable."""
    return PartOut(
        part=part.part,
        consumable=part.consumable,
        sku=part.sku,
        threshold_pct=part.threshold_pct,
        prior_life_days=part.prior_life_days,
        limits=[
            LimitOut(
                metric=limit.metric,
                measure=limit.measure,
                capacity=limit.capacity,
                unit=limit.unit,
                quantum=limit.quantum,
                most_per_day=limit.most_per_day,
                due=sorted(limit.due),
            )
            for limit in part.limits
        ],
    )


def show_properties(one: DeviceModel) -> list[SpokenOut]:
    """What each property means, by language and property."""
    return [
        SpokenOut(
            language=language,
            said=said,
            metric=meaning.metric,
            unit=meaning.unit,
            scale=meaning.scale,
            offset=meaning.offset,
            none=list(meaning.none),
            values=dict(meaning.values),
        )
        for language, properties in sorted(one.speaks.items())
        for said, meaning in properties.items()
    ]
