"""What the facts of a customer are worked out by: `rules.yaml`, which ships."""

from functools import cache
from importlib.resources import files

from pydantic import Field

from millpond.kernel.yaml_file import Strict, read_yaml

_DAY = Field(pattern=r"^[01]\d-[0-3]\d$")


class Season(Strict):
    """Days of a year (month-day) in which many buy gifts; the last one is in it."""

    begins: str = _DAY
    ends: str = _DAY


class FactRules(Strict):
    """How life-cycle, interests and signs of gifts are told; times in days, weights by the name of an event."""

    typical_cycle_days: float = Field(gt=0)
    active_cycles: float = Field(gt=0)
    lapsed_cycles: float = Field(gt=0)
    interest_half_life_days: float = Field(gt=0)
    event_days: int = Field(gt=0)
    weights: dict[str, float]
    bought_weight: float
    new_days: int = Field(gt=0)
    due_days: int = Field(gt=0)
    gift_seasons: tuple[Season, ...]
    least_for_fifths: int = Field(ge=5)


@cache
def fact_rules() -> FactRules:
    """The rules that ship."""
    return read_yaml(FactRules, (files("segments.facts") / "rules.yaml").read_text(encoding="utf-8"), "rules.yaml")
