"""The engine behind `millpond simulate`: a fleet of any size against any broker, and a report of what came of it."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from devices.profile import DeviceProfile, shipped_profiles
from millpond.kernel.broker import TlsFiles, parse_broker_url
from millpond.kernel.clock import AcceleratedClock, Clock
from millpond.kernel.errors import InvalidInput
from simulators.life.drive import Recording
from simulators.runs.compact import CompactFleet
from simulators.runs.connected import ConnectedFleet
from simulators.runs.fleet import Fleet, FleetPlan, build_fleet, make_manifest, write_manifest
from simulators.runs.summary import FleetSummary, Progress
from simulators.scenarios.expectations import judge_plain
from simulators.scenarios.platform import PlatformApi, count_refused, wait_for_outcomes
from simulators.scenarios.report import require_reports, write_reports
from simulators.scenarios.scenario import midnight_before
from simulators.wire.faults import Faults
from simulators.wire.pace import Limits

_HELD_SAMPLES = 500_000
_UNPACED_PAST = timedelta(days=30)
_MOST_LIVES = 5_000


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """What the command line says.

    `rate` is messages/s of the whole fleet and sets how often each device measures; None is as fast as the broker
    takes them, one sample a device and second of a virtual time that starts 30 days ago. `speed` is how many seconds of
    the fleet pass in one real second (with `rate`); its time starts so far back that it does not pass `clock`'s.
    Without `duration_s` and `messages` it runs until stopped. `start` is where the fleet's time begins; by default a
    midnight for an unpaced run, so that runs of one day give the same bytes. `compact` is load without lives and
    outboxes, by default above 5,000 devices. `api` is asked what of the run lies in quarantine.
    """

    broker_url: str
    devices: int = 60
    rate: float | None = None
    duration_s: float | None = None
    messages: int | None = None
    seed: int = 1
    speed: float = 1.0
    mix: Mapping[str, float] | None = None
    faults: Faults = field(default_factory=Faults)
    reports: Sequence[Path] = ()
    manifest: Path | None = None
    gateways: int = 1
    window: int = 500
    ack_wait_s: float = 10
    tls: TlsFiles | None = None
    profiles: Mapping[str, DeviceProfile] | None = None
    start: datetime | None = None
    recorded: Recording | None = None
    compact: bool | None = None
    api: PlatformApi | None = None
    patience_s: float = 30


def simulate(
    options: SimulateOptions,
    clock: Clock,
    *,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> FleetSummary:
    """Publish until a limit is reached or `stop` is set, wait for acknowledgements, write the reports.

    Raises InvalidInput for options that cannot be meant, ConfigurationError for the broker's address, Unavailable when
    the broker does not take us.
    """
    _require_sense(options)
    stop, at = stop or threading.Event(), clock.now()
    before = options.api.outcomes() if options.api else Counter[str]()
    compact = options.compact or (options.compact is None and options.devices > _MOST_LIVES)
    summary = (_load if compact else _live)(options, clock, stop, on_progress)
    if options.api:
        during = wait_for_outcomes(options.api, before, summary, options.patience_s, stop)
        counted = {name: during[name] for name in ("stored", "conflict", "quarantined")}
        summary = replace(summary, items_quarantined=count_refused(summary, **counted))
    write_reports(options.reports, summary, at, judge_plain(summary))
    return summary


def _live(
    options: SimulateOptions, clock: Clock, stop: threading.Event, on_progress: Callable[[Progress], None] | None
) -> FleetSummary:
    at = clock.now()
    fleet = _build(options, at)
    if options.manifest:
        fleet.write_manifest(options.manifest)
    for device in fleet.devices:
        device.prepare()
    limits = Limits(options.duration_s, options.messages, options.rate)
    with ConnectedFleet(
        fleet,
        options.broker_url,
        stop=stop,
        on_progress=on_progress,
        gateways=options.gateways,
        window=options.window,
        faults=options.faults,
        tls=options.tls,
    ) as connected:
        if options.rate is None:
            step = timedelta(seconds=max(1.0, options.window / options.devices))
            connected.replay(at, step=step, live_since=fleet.start, limits=limits, most_unacked=None)
        else:
            # The fleet's time starts once all is ready, so that no run begins with a backlog.
            own = AcceleratedClock(fleet.start, clock.now(), options.speed)
            connected.follow(own, limits=limits, live_since=fleet.start)
        connected.wait_for_acks(options.ack_wait_s, at=clock.now())
        return connected.summary()


def _load(
    options: SimulateOptions, clock: Clock, stop: threading.Event, on_progress: Callable[[Progress], None] | None
) -> FleetSummary:
    at = clock.now()
    profiles = dict(shipped_profiles() if options.profiles is None else options.profiles)
    start, interval = _begin(options, at)
    manifest = make_manifest(
        FleetPlan(
            history_days=0, devices=options.devices, seed=options.seed, start=start, mix=options.mix, profiles=profiles
        )
    )
    if options.manifest:
        write_manifest(options.manifest, manifest)
    with CompactFleet(
        manifest,
        profiles,
        parse_broker_url(options.broker_url),
        seed=options.seed,
        start=start,
        interval=interval,
        connections=8 if options.gateways == 1 else options.gateways,
        tls=options.tls,
        stop=stop,
        on_progress=on_progress,
    ) as load:
        load.publish(Limits(options.duration_s, options.messages, options.rate))
        load.wait_for_acks(options.ack_wait_s)
        return load.summary()


def _build(options: SimulateOptions, at: datetime) -> Fleet:
    start, interval = _begin(options, at)
    # Without a platform nothing is ever acknowledged: memory is bounded all the same.
    held = max(100, _HELD_SAMPLES // options.devices)
    return build_fleet(
        FleetPlan(
            devices=options.devices,
            seed=options.seed,
            start=start,
            history_days=0,
            interval=interval,
            mix=options.mix,
            profiles=options.profiles,
            outbox_limit=held,
            faults=options.faults,
            recorded=options.recorded,
            faults_until=at if options.rate is None else start + timedelta(seconds=_seconds(options) * options.speed),
        )
    )


def _begin(options: SimulateOptions, at: datetime) -> tuple[datetime, timedelta]:
    """When the fleet's time begins, and how often a device measures in it."""
    if options.rate is None:
        return options.start or midnight_before(at, _UNPACED_PAST), timedelta(seconds=1)
    start = options.start or at - timedelta(seconds=_seconds(options) * max(0.0, options.speed - 1))
    return start, timedelta(seconds=options.devices * options.speed / options.rate)


def _seconds(options: SimulateOptions) -> float:
    """How long the run will take, as far as anyone can know; a day when it has no end."""
    if options.duration_s is not None:
        return options.duration_s
    if options.messages is not None and options.rate:
        return options.messages / options.rate
    return 86_400 / options.speed


def _require_sense(options: SimulateOptions) -> None:
    if options.rate is not None and not options.rate > 0:
        raise InvalidInput("--rate needs a number of messages per second above zero")
    if not options.speed > 0:
        raise InvalidInput("--speed needs a factor above zero")
    if options.devices < 1:
        raise InvalidInput("--devices needs at least one device")
    if options.gateways < 0:
        raise InvalidInput("--connections needs a number from zero up")
    if options.compact and (options.faults.active() or options.recorded):
        raise InvalidInput("--compact is load without lives: it has no --faults and no --drive")
    if options.rate is not None and options.devices * options.speed / options.rate < 0.002:
        needed = int(options.rate * 0.002 / options.speed) + 1
        raise InvalidInput(f"a device measures at most every 2 ms: {options.rate:g} messages/s need {needed} devices")
    require_reports(options.reports)
