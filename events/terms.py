"""On what terms events are taken: the plan that they are held against, and how much of what is refused is kept."""

from dataclasses import dataclass
from typing import Self

from events.plan.files import load_plan
from events.plan.plan import Plan
from millpond.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class Terms:
    """The tracking plan, and how many calls of one source are set aside in a day at most."""

    plan: Plan
    set_aside_per_day_max: int = 10_000

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises InvalidInput for a file of the plan that is none."""
        return cls(load_plan(settings.plans_dir), settings.event_quarantine_per_day_max)
