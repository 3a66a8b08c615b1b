"""What has to come of a run, and whether it did: passed, failed, or not checked."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from simulators.runs.summary import FleetSummary
from simulators.wire.faults import Faults

Count = Annotated[int, Field(ge=0)]
_NOBODY = "nothing was acknowledged; does the platform run, and does it know these devices?"
NOT_CHECKED = "give --api and --token to have it checked"


class Expectations(BaseModel):
    """Bounds; those that are not given are not looked at. What only the platform knows needs its API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readings_lost: Count | None = Field(
        default=None, description="At most so many were not acknowledged, or lie in quarantine instead of being stored."
    )
    samples_at_least: Count | None = Field(default=None, description="Measured by the fleet.")
    messages_at_least: Count | None = Field(default=None, description="Published, copies made by faults not included.")
    faults_at_least: dict[str, Count] | None = Field(default=None, description="How often each fault struck.")
    readings_stored_at_least: Count | None = Field(default=None, description="Platform: stored during the run.")
    duplicates_at_least: Count | None = Field(default=None, description="Platform: readings that came again.")
    duplicates_at_most: Count | None = Field(default=None, description="Platform: readings that came again.")
    conflicts_at_least: Count | None = Field(default=None, description="Platform: same moment, another value.")
    conflicts_at_most: Count | None = Field(default=None, description="Platform: same moment, another value.")
    quarantined_at_least: Count | None = Field(default=None, description="Platform: items that were no readings.")
    quarantined_at_most: Count | None = Field(default=None, description="Platform: items that were no readings.")
    replacements_at_least: Count | None = Field(default=None, description="Platform: true ones that it found.")
    replacements_false: Count | None = Field(default=None, description="Platform: at most so many that never were.")
    forecasts_at_least: Count | None = Field(default=None, description="Platform: parts with a date.")
    forecast_error_days_p50: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Platform: half of the dates are at most so far from what truly happens."
    )
    offers_at_least: Count | None = Field(default=None, description="Platform: open offers of the fleet's households.")

    @field_validator("faults_at_least")
    @classmethod
    def _faults_exist(cls, counts: dict[str, int] | None) -> dict[str, int] | None:
        known = [field.name for field in fields(Faults)]
        for name in counts or {}:
            if name not in known:
                raise ValueError(f"fault {name!r} does not exist: choose from {', '.join(known)}")
        return counts

    def scaled(self, share: float) -> Self:
        """The same for a run that is shorter by `share`: what has to happen at least becomes less, never nothing."""

        def less(bound: Any) -> Any:
            if isinstance(bound, dict):
                return {name: less(count) for name, count in bound.items()}
            return max(1, int(bound * share)) if bound else bound

        return self.model_copy(update={k: less(v) for k, v in self if k.endswith("_at_least") and v is not None})

    @property
    def needs_platform(self) -> bool:
        """Whether there is something that only the platform knows."""
        return any(value is not None for name, value in self if name not in _FROM_DEVICES)


_FROM_JOBS = ("replacements_at_least", "forecasts_at_least", "forecast_error_days_p50", "offers_at_least")
_JOBS = "have the platform's jobs run since? --jobs runs them"
_FROM_DEVICES = ("samples_at_least", "messages_at_least", "faults_at_least")


class Outcome(StrEnum):
    """What became of an expectation."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation: its name, what was expected, what became of it, and what was found."""

    name: str
    expected: str
    outcome: Outcome
    found: str


@dataclass(frozen=True, slots=True)
class PlatformFindings:
    """What the platform says of the run: counts during it, and of the fleet's devices.

    `forecast_error_days_p50` is None when no date could be compared with the truth.
    """

    stored: int
    duplicate: int
    conflict: int
    quarantined: int
    replacements_true: int
    replacements_false: int
    forecasts: int
    forecast_error_days_p50: float | None
    offers: int

    @property
    def received(self) -> int:
        """Every value has exactly one outcome."""
        return self.stored + self.duplicate + self.conflict + self.quarantined


def judge(expected: Expectations, summary: FleetSummary, platform: PlatformFindings | None) -> list[Verdict]:
    """A verdict for every expectation that was stated, in the order of their declaration."""
    found = _found(summary, platform)
    return [verdict for name, bound in expected if bound is not None for verdict in _judge(name, bound, found)]


def judge_plain(summary: FleetSummary) -> list[Verdict]:
    """What has to hold for a run without a scenario to be called good."""
    return [
        _compare("something was published", 1, summary.messages_published, at_least=True),
        _compare("everything sent was acknowledged", 0, summary.unacked, at_least=False),
        _compare("no sample was given up", 0, summary.dropped, at_least=False),
        _judge_quarantine(summary),
    ]


def _judge_quarantine(summary: FleetSummary) -> Verdict:
    name = "nothing sent lies in quarantine"
    if summary.items_quarantined is None:
        return Verdict(name, _bound(0, at_least=False), Outcome.NOT_CHECKED, NOT_CHECKED)
    return _compare(name, 0, summary.items_quarantined, at_least=False)


def _found(summary: FleetSummary, platform: PlatformFindings | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "readings_lost": summary.not_arrived,
        "quarantined": summary.items_quarantined,
        "samples_at_least": summary.samples,
        "messages_at_least": summary.messages_published,
        "faults_at_least": summary.faults,
        "acked": summary.acked,
    }
    if platform is not None:
        found |= {
            "readings_stored_at_least": platform.stored,
            "duplicates_at_least": platform.duplicate,
            "duplicates_at_most": platform.duplicate,
            "conflicts_at_least": platform.conflict,
            "conflicts_at_most": platform.conflict,
            "quarantined_at_least": platform.quarantined,
            "quarantined_at_most": platform.quarantined,
            "replacements_at_least": platform.replacements_true,
            "replacements_false": platform.replacements_false,
            "forecasts_at_least": platform.forecasts,
            "forecast_error_days_p50": platform.forecast_error_days_p50,
            "offers_at_least": platform.offers,
        }
    return found


def _judge(name: str, bound: Any, found: dict[str, Any]) -> Iterator[Verdict]:
    at_least = name.endswith("_at_least")
    if isinstance(bound, dict):
        for fault, least in bound.items():
            yield _compare(f"{name}.{fault}", least, found[name].get(fault, 0), at_least=True)
    elif name not in found:
        yield Verdict(name, _bound(bound, at_least), Outcome.NOT_CHECKED, NOT_CHECKED)
    elif found[name] is None:
        yield Verdict(name, _bound(bound, at_least), Outcome.FAILED, f"there is nothing to compare; {_JOBS}")
    elif name == "readings_lost" and found[name] > bound and not found["acked"]:
        yield Verdict(name, _bound(bound, at_least), Outcome.FAILED, f"{found[name]:,}: {_NOBODY}")
    elif name == "readings_lost":
        yield _tell_quarantine(_compare(name, bound, found[name], at_least=False), found["quarantined"])
    else:
        yield _hint_at_jobs(_compare(name, bound, found[name], at_least=at_least))


def _hint_at_jobs(verdict: Verdict) -> Verdict:
    missed = verdict.outcome is Outcome.FAILED and verdict.name in _FROM_JOBS
    return replace(verdict, found=f"{verdict.found}; {_JOBS}") if missed else verdict


def _tell_quarantine(verdict: Verdict, quarantined: int | None) -> Verdict:
    """The verdict with what is known of quarantine, where an acknowledged value may lie as well."""
    if quarantined is None:
        return replace(verdict, found=f"{verdict.found} by acknowledgement; what lies in quarantine needs --api")
    return replace(verdict, found=f"{verdict.found}, {quarantined:,} of them in quarantine") if quarantined else verdict


def _compare(name: str, bound: float, found: float, *, at_least: bool) -> Verdict:
    holds = found >= bound if at_least else found <= bound
    return Verdict(name, _bound(bound, at_least), Outcome.PASSED if holds else Outcome.FAILED, f"{found:,}")


def _bound(bound: float, at_least: bool) -> str:
    return f"{'at least' if at_least else 'at most'} {bound:,}"
