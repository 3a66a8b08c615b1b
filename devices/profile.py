"""A device profile: what a model's properties mean, as data. A user adds one without touching Python."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from devices.nouns import Measure, MetricKind, Relation
from millpond.kernel.errors import InvalidInput
from millpond.kernel.money import DECIMALS, MOST_MINOR

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
SkuText = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,62}$")]


_M = TypeVar("_M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """The same words for readers of three languages."""

    en: str
    ko: str
    zh: str


class MetricProfile(_Strict):
    """One metric: its kind, unit and range (numbers), or its states."""

    kind: MetricKind = MetricKind.NUMBER
    unit: str = ""
    min: float | None = None
    max: float | None = None
    states: list[str] | None = None


class LimitProfile(_Strict):
    """How one metric speaks of the part; counts (`used`, `remaining`) need the capacity in the metric's unit.

    `most_per_day` is the most that a count can change in a day: what goes faster is a fault. Hours need none.
    """

    metric: Name
    measure: Measure
    capacity: float | None = Field(default=None, gt=0)
    quantum: float = Field(default=1, gt=0)
    most_per_day: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _counts_have_capacity(self) -> Self:
        if self.measure in (Measure.USED, Measure.REMAINING) and self.capacity is None:
            raise ValueError(f"{self.metric} counts, so it needs a capacity")
        return self


class PartProfile(_Strict):
    """A place for a consumable: which one, when it is due, what limits it, and its typical life."""

    part: Name
    consumable: Slug
    threshold_pct: float = Field(default=10, gt=0, lt=100)
    prior_life_days: float = Field(gt=0)
    limits: list[LimitProfile] = Field(min_length=1)


class DeviceProfile(_Strict):
    """One device model."""

    model: Slug
    name: Words
    category: Name
    sku: SkuText | None = None
    metrics: dict[Name, MetricProfile]
    parts: list[PartProfile] = []

    @model_validator(mode="after")
    def _limits_name_metrics(self) -> Self:
        for part in self.parts:
            for limit in part.limits:
                if limit.metric not in self.metrics:
                    raise ValueError(f"part {part.part} names metric {limit.metric}, which {self.model} does not have")
        return self


class ProductEntry(_Strict):
    """A product of the catalogue; the price is in minor units."""

    sku: SkuText
    name: Words
    category: Name
    price_minor: int = Field(gt=0, le=MOST_MINOR)
    currency: str

    @field_validator("currency")
    @classmethod
    def _currency_in_use(cls, currency: str) -> str:
        if currency not in DECIMALS:
            raise ValueError(f"{currency[:20]!r} is not a currency in use: take its ISO 4217 code, like EUR or KRW")
        return currency


class ConsumableEntry(_Strict):
    """A consumable and the product it is sold as."""

    consumable: Slug
    name: Words
    sku: SkuText


class EdgeEntry(_Strict):
    """A typed compatibility edge with its evidence: `from` is what a household has, `to` what would join it."""

    from_sku: SkuText = Field(alias="from")
    to_sku: SkuText = Field(alias="to")
    relation: Relation
    weight: float = Field(ge=0, le=1, default=1)
    condition: str | None = None
    evidence: str


class Catalogue(_Strict):
    """What is sold and what fits what."""

    products: list[ProductEntry]
    consumables: list[ConsumableEntry]
    compatibility: list[EdgeEntry]


def load_profile(path: Path) -> DeviceProfile:
    """The profile in a YAML file; InvalidInput with one sentence that names the file and the place."""
    return _load(DeviceProfile, path.read_text(encoding="utf-8"), str(path))


@cache
def shipped_profiles() -> dict[str, DeviceProfile]:
    """The profiles that come with Millpond, by model."""
    folder = files("devices") / "profiles"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".yaml")}
    profiles = [_load(DeviceProfile, text, name) for name, text in sorted(texts.items())]
    return {profile.model: profile for profile in profiles}


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue that comes with Millpond."""
    return _load(Catalogue, (files("devices") / "catalogue.yaml").read_text(encoding="utf-8"), "catalogue.yaml")


def _load(kind: type[_M], text: str, where: str) -> _M:
    try:
        return kind.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise InvalidInput(f"{where}, {place}: {first['msg']}") from error
