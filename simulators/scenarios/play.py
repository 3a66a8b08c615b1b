"""Playing a scenario: build its fleet, let it live at a broker, and judge what came of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from millpond.kernel.broker import TlsFiles
from millpond.kernel.clock import Clock, monotonic
from simulators.life.drive import Recording, load_recording
from simulators.life.households import Lives
from simulators.runs.connected import ConnectedFleet
from simulators.runs.fleet import Fleet, FleetPlan, build_fleet
from simulators.runs.summary import FleetSummary, Progress
from simulators.scenarios.expectations import Outcome, PlatformFindings, Verdict, judge
from simulators.scenarios.platform import PlatformApi, count_refused, find_out, foresee_truths, is_counted
from simulators.scenarios.scenario import Scenario, midnight_before

_HELD_SAMPLES = 500_000
_ASK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """Where a scenario is played, and how patiently.

    `give_up_after_s` is how long the platform may acknowledge nothing before the rest counts as lost, `patience_s` how
    long its jobs may take to meet what is expected of them.
    """

    broker_url: str
    tls: TlsFiles | None = None
    api: PlatformApi | None = None
    register: bool = False
    manifest: Path | None = None
    give_up_after_s: float = 15
    patience_s: float = 30
    resend_after_s: float = 10


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario that was played: when its fleet began, what it did, and a verdict for each expectation."""

    start: datetime
    summary: FleetSummary
    verdicts: list[Verdict]

    @property
    def failed(self) -> bool:
        """Whether an expectation was not met."""
        return any(verdict.outcome is Outcome.FAILED for verdict in self.verdicts)


def build_scenario_fleet(scenario: Scenario, folder: Path, at: datetime) -> Fleet:
    """The fleet of a scenario that is played at `at`; `folder` is where its drive file is."""
    start = scenario.start or midnight_before(at, scenario.duration)
    mix = scenario.households
    lives = Lives(mix.habits, mix.level_shifts, mix.new_users, (start, start + scenario.duration))
    return build_fleet(
        FleetPlan(
            devices=scenario.devices,
            seed=scenario.seed,
            start=start,
            history_days=scenario.duration / timedelta(days=1),
            interval=scenario.interval,
            mix=scenario.models,
            regions=scenario.regions,
            faults=scenario.faults,
            lives=lives,
            recorded=recording_of(scenario, folder),
            outbox_limit=max(1000, _HELD_SAMPLES // scenario.devices),
        )
    )


def recording_of(scenario: Scenario, folder: Path) -> Recording | None:
    """The recorded air that drives a scenario, if any."""
    return load_recording(folder / scenario.drive) if scenario.drive else None


def play_scenario(
    scenario: Scenario,
    folder: Path,
    options: PlayOptions,
    clock: Clock,
    *,
    at: datetime,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    before_living: Callable[[Fleet], None] | None = None,
    before_judging: Callable[[Fleet, datetime], None] | None = None,
) -> Played:
    """Play a scenario and judge it. `before_living(fleet)` may register it, `before_judging(fleet, end)` run jobs.

    Raises InvalidInput for what cannot be meant and Unavailable when the broker or the platform does not take us; then
    nothing is left running.
    """
    stop = stop or threading.Event()
    fleet = build_scenario_fleet(scenario, folder, at)
    if options.manifest:
        fleet.write_manifest(options.manifest)
    if options.api and options.register:
        options.api.register(fleet)
    if before_living:
        before_living(fleet)
    before = options.api.outcomes() if options.api else None
    summary = _live(scenario, fleet, options, clock, stop, on_progress)
    if before_judging:
        before_judging(fleet, fleet.start + scenario.duration)
    if options.api is None or before is None or not scenario.expect.needs_platform:
        return Played(fleet.start, summary, judge(scenario.expect, summary, None))
    truths = foresee_truths(fleet, fleet.start + scenario.duration)
    api = options.api
    summary, verdicts = _judge_patiently(
        scenario, summary, lambda: find_out(api, fleet, truths, before), options.patience_s, stop
    )
    return Played(fleet.start, summary, verdicts)


def _live(
    scenario: Scenario,
    fleet: Fleet,
    options: PlayOptions,
    clock: Clock,
    stop: threading.Event,
    on_progress: Callable[[Progress], None] | None,
) -> FleetSummary:
    end = fleet.start + scenario.duration
    for device in fleet.devices:
        device.prepare()
    with ConnectedFleet(
        fleet, options.broker_url, stop=stop, on_progress=on_progress, gateways=scenario.connections, tls=options.tls
    ) as connected:
        if scenario.speed != "max":
            connected.live_through(end, clock, scenario.speed)
        connected.replay(
            end,
            step=_step(scenario),
            live_since=end - scenario.live if scenario.speed == "max" else fleet.start,
            resend_after_s=options.resend_after_s,
            give_up_after_s=options.give_up_after_s,
        )
        return connected.summary()


def _step(scenario: Scenario) -> timedelta:
    """How far the fleet lives before it speaks: about a full message, and no longer than an outage can last."""
    pace = scenario.interval / 20 if scenario.faults.chatty else scenario.interval
    step = min(timedelta(days=6), 48 * pace)
    return max(scenario.interval, min(step, timedelta(hours=1))) if scenario.faults.offline else step


def _count_refused(summary: FleetSummary, found: PlatformFindings) -> int:
    return count_refused(summary, stored=found.stored, conflict=found.conflict, quarantined=found.quarantined)


def _judge_patiently(
    scenario: Scenario,
    summary: FleetSummary,
    look: Callable[[], PlatformFindings],
    patience_s: float,
    stop: threading.Event,
) -> tuple[FleetSummary, list[Verdict]]:
    """The summary with what lies in quarantine, and the verdicts, once all is well and counted or patience ends."""
    deadline = monotonic() + patience_s
    while True:
        found = look()
        summary = replace(summary, items_quarantined=_count_refused(summary, found))
        verdicts = judge(scenario.expect, summary, found)
        failed = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAILED]
        well = not failed and is_counted(summary, found.received)
        if well or monotonic() >= deadline or stop.wait(_ASK_EVERY_S):
            return summary, verdicts
