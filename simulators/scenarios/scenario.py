"""A scenario is a file: which fleet lives where and how long, what goes wrong, and what has to come of it."""

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from devices.profile import shipped_profiles
from millpond.kernel.errors import InvalidInput
from simulators.life.climate import REGIONS
from simulators.life.households import DEFAULT_HABITS, Habit
from simulators.scenarios.expectations import Expectations
from simulators.wire.faults import Faults

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_span(text: Any) -> timedelta:
    """The time in `90` (seconds), `90s`, `15m`, `2h` or `1d`; ValueError with one sentence for anything else."""
    if isinstance(text, timedelta):
        return text
    match = _SPAN.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{str(text)[:40]!r} is none of 90, 90s, 15m, 2h, 1d")
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2] or "s"])
    except OverflowError:
        raise ValueError(f"{str(text)[:40]!r} is longer than any calendar") from None


Span = Annotated[
    timedelta,
    BeforeValidator(parse_span),
    WithJsonSchema({"type": ["string", "number"], "pattern": rf"^{_SPAN.pattern}$", "examples": ["90s", "2h", "180d"]}),
]
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HouseholdMix(_Strict):
    """How the households differ."""

    habits: dict[Habit, Annotated[float, Field(ge=0)]] = Field(
        default=DEFAULT_HABITS, description="Weights of when they replace a worn part."
    )
    level_shifts: Share = Field(default=0, description="Share of them whose use changes for good on some day.")
    new_users: Share = Field(default=0, description="Share of them that one more person joins on some day.")

    @field_validator("habits")
    @classmethod
    def _some_weight(cls, habits: dict[Habit, float]) -> dict[Habit, float]:
        if not sum(habits.values()) > 0:
            raise ValueError("at least one habit needs a weight above zero")
        return habits


def _require_fault_names(faults: Any) -> Any:
    if isinstance(faults, dict):
        _require_known("fault", map(str, faults), [field.name for field in fields(Faults)])
    return faults


class Scenario(_Strict):
    """A fleet, its life, its faults and what is expected of it."""

    title: str = Field(min_length=1, max_length=80)
    shows: str = Field(min_length=1, description="One sentence: what a run of it shows.")
    models: dict[str, Annotated[int, Field(ge=1, le=100_000)]] = Field(
        min_length=1, description="How many devices of each model."
    )
    regions: list[str] | None = Field(default=None, min_length=1, description="Climate regions; all when not given.")
    seed: int = Field(default=1, description="The same seed and start give the same bytes.")
    start: AwareDatetime | None = Field(
        default=None, description="When the fleet begins to report; so that the run ends about now when not given."
    )
    duration: Span = Field(description="How long the fleet lives, in its own time.")
    speed: Annotated[float, Field(gt=0)] | Literal["max"] = Field(
        default="max", description="Seconds of the fleet in one real second; max is as fast as the broker takes it."
    )
    live: Span = Field(
        default=timedelta(0),
        description="At speed max: the last stretch that goes out as live telemetry, one sample a message. What comes"
        " before it goes out as backfill.",
    )
    interval: Span = Field(default=timedelta(hours=3), description="How often a device measures.")
    connections: int = Field(default=1, ge=0, description="Connections that share the devices; 0 is one for each.")
    households: HouseholdMix = HouseholdMix()
    drive: str | None = Field(
        default=None, description="CSV with time and value (outdoor PM2.5 by the hour), beside the scenario's file."
    )
    faults: Annotated[Faults, BeforeValidator(_require_fault_names)] = Field(
        default=Faults(), description="Rates from 0 to 1, of messages, samples or devices."
    )
    expect: Expectations = Expectations()

    @field_validator("models")
    @classmethod
    def _models_exist(cls, models: dict[str, int]) -> dict[str, int]:
        _require_known("model", models, shipped_profiles())
        return models

    @field_validator("regions")
    @classmethod
    def _regions_exist(cls, regions: list[str] | None) -> list[str] | None:
        _require_known("region", regions or [], REGIONS)
        return regions

    @field_validator("duration", "interval")
    @classmethod
    def _no_shorter_than_a_second(cls, span: timedelta) -> timedelta:
        if span < timedelta(seconds=1):
            raise ValueError("it needs a second at least")
        return span

    @property
    def devices(self) -> int:
        """How many devices there are."""
        return sum(self.models.values())

    def changed(self, changes: dict[str, Any]) -> Self:
        """The same with other values of some keys; InvalidInput when they cannot be meant."""
        try:
            return self.model_validate(self.model_dump() | changes)
        except ValidationError as error:
            raise InvalidInput(_sentence(error)) from error

    def shortened(self, share: float) -> Self:
        """The same for that share of its duration; what is expected at least becomes less in proportion."""
        spans = {"duration": max(self.duration * share, 4 * self.interval), "live": self.live * share}
        return self.model_copy(update={**spans, "expect": self.expect.scaled(share)})


def load_scenario(name_or_file: str) -> tuple[Scenario, Path]:
    """A shipped scenario by its name, or the one in a YAML file; and the folder that its drive file is in.

    Raises InvalidInput with one sentence that names the file and the place.
    """
    path = Path(name_or_file)
    if path.suffix not in (".yaml", ".yml"):
        if name_or_file not in shipped_scenarios():
            known = ", ".join(shipped_scenarios())
            raise InvalidInput(f"scenario {name_or_file!r} is neither a .yaml file nor one of {known}")
        path = _folder() / f"{name_or_file}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"scenario {path} cannot be read: {error}") from error
    return parse_scenario(text, str(path)), path.parent


def parse_scenario(text: str, where: str) -> Scenario:
    """The scenario in a YAML text; InvalidInput with one sentence that names `where` and the place in it."""
    try:
        return Scenario.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise InvalidInput(f"{where}, {_sentence(error)}") from error


def shipped_scenarios() -> list[str]:
    """The names of the scenarios that come with Millpond."""
    return sorted(path.name.removesuffix(".yaml") for path in _folder().iterdir() if path.name.endswith(".yaml"))


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario's file, for editors to check and complete with."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}


def _folder() -> Path:
    return Path(str(files("simulators") / "scenarios"))


def _require_known(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{kind} {name!r} does not exist: choose from {', '.join(sorted(known))}")


def _sentence(error: ValidationError) -> str:
    """The first mistake and its place; of a union the branch that came closest is told, without its name."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"] if not str(part).startswith(("constrained-", "literal["))]
    if first["type"] == "extra_forbidden":
        return f"{'.'.join(place[:-1]) or 'top level'}: there is no key {place[-1]!r}"
    return f"{'.'.join(place) or 'top level'}: {first['msg'].removeprefix('Value error, ')}"


def midnight_before(at: datetime, duration: timedelta) -> datetime:
    """The latest midnight (UTC) from which `duration` has passed at `at`: runs of one day begin at one moment."""
    return (at - duration).replace(hour=0, minute=0, second=0, microsecond=0)
