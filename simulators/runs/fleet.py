"""A fleet: which devices there are, in which households, since when; all of it follows from one seed."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from devices.profile import DeviceProfile, shipped_profiles
from millpond.kernel.errors import InvalidInput
from simulators.life.chance import draw, make_key
from simulators.life.climate import REGIONS, region_named
from simulators.life.drive import Recording
from simulators.life.households import Lives, make_household
from simulators.wire.device import SimulatedDevice
from simulators.wire.faults import DeviceFaults, Faults
from simulators.wire.faults.in_device import Stretch
from simulators.wire.outbox import Outbox

DEFAULT_MIX: dict[str, float] = {
    "reed-air-2": 5,
    "reed-water-1": 3,
    "reed-vac-s": 3,
    "reed-tv-55": 2,
    "reed-air-max": 2,
    "generic-purifier-hours": 2,
    "reed-tv-43": 2,
    "generic-purifier-pct": 1,
}
_DEVICES_A_HOUSEHOLD = 2.5
_OLDEST_DAYS = 150


@dataclass(frozen=True, slots=True)
class Registration:
    """A device as the platform has to be told of it. `customer` is the household's external key."""

    serial: str
    model: str
    region: str
    customer: str
    installed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What a fleet is made from: `devices`, with models in the proportions of `mix` (weights by model).

    Devices with parts were installed up to 150 days before `start`, so their parts are partly used; every second device
    without parts (a TV) is new, installed in the last weeks of the `history_days`. The fleet lives and reports since
    `start`; with `reports_from` it lives since `start` and is switched on at that moment. `faults` strike until
    `faults_until` (default: the end of the history). With `recorded` the air outside is that of the recording.
    """

    seed: int
    start: datetime
    devices: int = 60
    history_days: float = 180
    interval: timedelta = timedelta(hours=3)
    mix: Mapping[str, float] | None = None
    profiles: Mapping[str, DeviceProfile] | None = None
    regions: list[str] | None = None
    samples_per_message: int = 48
    outbox_limit: int | None = None
    reports_from: datetime | None = None
    faults: Faults = field(default_factory=Faults)
    faults_until: datetime | None = None
    lives: Lives | None = None
    recorded: Recording | None = None

    @property
    def switched_on(self) -> datetime:
        """When the devices begin to report."""
        return self.start if self.reports_from is None else self.reports_from

    @property
    def history_end(self) -> datetime:
        """Where the history ends that the fleet is made for."""
        return self.start + timedelta(days=self.history_days)

    def known_profiles(self) -> Mapping[str, DeviceProfile]:
        """The profiles that models are looked for in."""
        return shipped_profiles() if self.profiles is None else self.profiles


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices that report from `start` on, and the manifest to register them by, in the same order."""

    seed: int
    start: datetime
    devices: list[SimulatedDevice]
    manifest: list[Registration]
    faults: Faults = field(default_factory=Faults)

    def set_interval(self, interval: timedelta) -> None:
        """Let every device measure at another pace from now on."""
        for device in self.devices:
            device.set_interval(interval)

    def write_manifest(self, path: Path) -> None:
        """The CSV that `millpond import devices` reads: `serial,model,region,customer,installed_at`."""
        write_manifest(path, self.manifest)


def write_manifest(path: Path, manifest: list[Registration]) -> None:
    """The CSV that `millpond import devices` reads; InvalidInput when it cannot be written."""
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["serial", "model", "region", "customer", "installed_at"])
            for r in manifest:
                rows.writerow([r.serial, r.model, r.region, r.customer, r.installed_at.isoformat()])
    except OSError as error:
        raise InvalidInput(f"manifest {path} cannot be written: {error}") from error


def build_fleet(plan: FleetPlan) -> Fleet:
    """The devices of the plan, each with its household. InvalidInput for a model or region that does not exist."""
    manifest = make_manifest(plan)
    devices = [_build_device(plan, number, row) for number, row in enumerate(manifest)]
    return Fleet(plan.seed, plan.start, devices, manifest, plan.faults)


def _build_device(plan: FleetPlan, number: int, row: Registration) -> SimulatedDevice:
    profile, seed, on_at = plan.known_profiles()[row.model], plan.seed, plan.switched_on
    region = replace(region_named(row.region), recorded=plan.recorded)
    faulty = None
    if plan.faults.active():
        stretch = Stretch(_ms(on_at), _ms(plan.faults_until or plan.history_end))
        faulty = DeviceFaults(plan.faults, seed, profile, row.serial, number, stretch)
    return SimulatedDevice(
        row.serial,
        profile,
        make_household(row.customer, region, seed, plan.lives),
        seed,
        f"{make_key(seed, row.serial, on_at.isoformat(), 'boot'):016x}"[:8],
        installed_at=row.installed_at,
        reports_from=on_at,
        interval=plan.interval,
        outbox=Outbox(limit=plan.outbox_limit),
        samples_per_message=plan.samples_per_message,
        faults=faulty,
    )


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def make_manifest(plan: FleetPlan) -> list[Registration]:
    """The devices of the fleet that `build_fleet` builds, without their lives."""
    known = plan.known_profiles()
    models = _spread_models(plan.devices, DEFAULT_MIX if plan.mix is None else plan.mix, known)
    homes, ordinals = _spread_homes(models), _ordinals(models)
    return [
        _register(plan, known[model], number, homes[number], ordinals[number]) for number, model in enumerate(models)
    ]


def _ordinals(models: list[str]) -> list[int]:
    """How many of the same model come before each."""
    seen: Counter[str] = Counter()
    ordinals = []
    for model in models:
        ordinals.append(seen[model])
        seen[model] += 1
    return ordinals


def parse_mix(text: str) -> dict[str, float]:
    """Weights from `reed-air-2=3,reed-tv-43=1` (a name alone weighs 1); InvalidInput with one sentence."""
    mix: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        model, _, weight = part.partition("=")
        try:
            mix[model] = float(weight or 1)
        except ValueError:
            raise InvalidInput(f"model {model} needs a number as its weight, as in {model}=2") from None
    return mix


def _register(plan: FleetPlan, profile: DeviceProfile, number: int, home: int, ordinal: int) -> Registration:
    """The device with this number, of the household `home`; `ordinal` of its model come before it."""
    seed = plan.seed
    serial, customer = f"{profile.model.upper()}-{seed}-{number + 1:05d}", f"household-{seed}-{home + 1:04d}"
    choice = list(REGIONS) if plan.regions is None else plan.regions
    region = choice[int(len(choice) * draw(seed, customer, "region"))]
    installed_at = _installed_at(plan, profile, ordinal, draw(seed, serial, "age"))
    return Registration(serial, profile.model, region, customer, installed_at)


def _installed_at(plan: FleetPlan, profile: DeviceProfile, ordinal: int, share: float) -> datetime:
    if profile.parts or ordinal % 2:
        installed_at = plan.start - timedelta(days=_OLDEST_DAYS * share)
    else:
        installed_at = max(plan.start, plan.history_end - timedelta(days=2 + 18 * share))
    return installed_at.replace(minute=0, second=0, microsecond=0)


def _spread_models(devices: int, mix: Mapping[str, float], known: Mapping[str, DeviceProfile]) -> list[str]:
    """Models by largest remainder, interleaved, so that every stretch of the fleet is a mixture."""
    for model, weight in mix.items():
        if model not in known:
            raise InvalidInput(f"model {model!r} has no profile: choose from {', '.join(sorted(known))}")
        if not weight > 0:
            raise InvalidInput(f"model {model} needs a weight above zero")
    if devices < 1 or not mix:
        raise InvalidInput("a fleet needs at least one device and one model")
    total = sum(mix.values())
    shares = {model: devices * weight / total for model, weight in mix.items()}
    counts = {model: int(share) for model, share in shares.items()}
    for model in sorted(shares, key=lambda model: counts[model] - shares[model])[: devices - sum(counts.values())]:
        counts[model] += 1
    places = [((place + 0.5) / count, model) for model, count in counts.items() for place in range(count)]
    return [model for _, model in sorted(places)]


def _spread_homes(models: list[str]) -> list[int]:
    """The household of each device: two or three devices each, and two of one model only when there are very many."""
    households = max(1, round(len(models) / _DEVICES_A_HOUSEHOLD))
    by_model = sorted(range(len(models)), key=lambda number: (models[number], number))
    homes = [0] * len(models)
    for rank, number in enumerate(by_model):
        homes[number] = rank % households
    return homes
