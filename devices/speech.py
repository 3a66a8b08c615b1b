"""How a model's properties come to be its metrics, in each language that it speaks: a profile's section `speaks`."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from devices.nouns import Meaning
from devices.units import Step, find_unit, step_between, unit_names
from millpond.kernel.yaml_file import Strict

Scalar = bool | int | float | str
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
FormatName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
PROPERTY_MAX = 256
Property = Annotated[str, Field(min_length=1, max_length=PROPERTY_MAX)]


def write_raw(raw: Any) -> str:
    """A raw value as `values` and `none` name it: `true`, `7` (also for 7.0) or the text itself."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw)


def _write_keys(values: Any) -> Any:
    return {write_raw(key): value for key, value in values.items()} if isinstance(values, dict) else values


def _write_all(raws: Any) -> Any:
    return [write_raw(raw) for raw in raws] if isinstance(raws, list) else raws


def _read_short(raw: Any) -> Any:
    return {"metric": raw} if isinstance(raw, str) else raw


class Raw(Strict):
    """How to read a raw value.

    One of `none` says that there is no value; `values` says what others stand for; a number is in `unit` once it is
    multiplied by `scale` and `offset` is added.
    """

    unit: str = ""
    none: Annotated[list[str], BeforeValidator(_write_all, json_schema_input_type=list[Scalar])] = Field(
        default_factory=list
    )
    values: Annotated[dict[str, Scalar], BeforeValidator(_write_keys)] = Field(default_factory=dict)
    scale: float = Field(default=1, allow_inf_nan=False)
    offset: float = Field(default=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _scale_is_not_nothing(self) -> Self:
        if not self.scale:
            raise ValueError("scale 0 makes every value the same")
        return self


class SpokenProperty(Raw):
    """Which metric a property is, and how to read its raw values; without a `unit` it is in the metric's."""

    metric: Name

    def to_meaning(self, metric_unit: str) -> Meaning:
        """What ingest reads the property by; `find_misfit` says whether it can."""
        step = step_between(self.unit or metric_unit, metric_unit) or Step()
        scale, offset = self.scale * step.scale, self.offset * step.scale + step.offset
        return Meaning(self.metric, scale, offset, tuple(self.none), dict(self.values), self.unit or metric_unit)

    def find_misfit(self, metric_unit: str) -> str | None:
        """Why nobody can come from this unit to the metric's."""
        if step_between(self.unit or metric_unit, metric_unit) is not None:
            return None
        why = "is not a unit of the same kind" if find_unit(self.unit) else "is none of " + ", ".join(unit_names())
        return f"{self.metric} is in {metric_unit!r}, and {self.unit!r} {why}"


_Short = BeforeValidator(_read_short, json_schema_input_type=Name | SpokenProperty)
Speaks = dict[FormatName, dict[Property, Annotated[SpokenProperty, _Short]]]
