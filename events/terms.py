"""On what terms events are taken: the plan that they are held against, and how much of what is refused is kept."""

from dataclasses import dataclass
from typing import Self

from customers.identity.hashing import Hashing, read_hashing
from customers.identity.limits import Limits, read_limits
from events.plan.files import load_plan
from events.plan.plan import Plan
from millpond.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class Terms:
    """The tracking plan, how many calls of one source are set aside in a day at most, and how people are known by them.

    Without a secret in `hashing` nobody is known by their e-mail or phone.
    """

    plan: Plan
    set_aside_per_day_max: int = 10_000
    hashing: Hashing = Hashing(None, None, "KR")
    limits: Limits = Limits()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises InvalidInput for a file of the plan that is none."""
        return cls(
            load_plan(settings.plans_dir),
            settings.event_quarantine_per_day_max,
            read_hashing(settings),
            read_limits(settings),
        )
