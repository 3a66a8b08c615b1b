"""`millpond simulate`: a fleet against any broker."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from millpond.cli import app
from millpond.cli.jobs import parse_at
from millpond.cli.options import command_of
from millpond.kernel.errors import InvalidInput
from millpond.kernel.log import configure_logging
from millpond.kernel.settings import Settings, load_settings

if TYPE_CHECKING:
    from simulators.scenarios.play import PlayOptions
    from simulators.scenarios.simulation import SimulateOptions

Broker = Annotated[str | None, typer.Option(help="mqtt://user:pass@host:port, or mqtts://; MILLPOND_BROKER_URL.")]
ScenarioName = Annotated[str | None, typer.Option(help="A scenario's YAML file, or the name of a shipped one.")]
Rate = Annotated[float | None, typer.Option(help="Messages per second of the whole fleet; as fast as it goes.")]
Seed = Annotated[int | None, typer.Option(help="The same seed (1) and start give the same fleet, to the byte.")]
Start = Annotated[str | None, typer.Option(help="When the fleet's time begins, RFC 3339; so that it ends about now.")]
Speed = Annotated[float | None, typer.Option(help="Seconds of the fleet in one real second (with --rate): 1.")]
Scale = Annotated[float, typer.Option(min=0.001, max=1, help="Play this share of the scenario's duration.")]
Connections = Annotated[int | None, typer.Option(help="Connections that share the devices (1); 0 is one for each.")]
Compact = Annotated[
    bool | None, typer.Option(help="Load without lives or outboxes, for tens of thousands of devices; above 5,000.")
]
CaFile = Annotated[Path | None, typer.Option(help="PEM of the authority that signed the broker's certificate.")]
Manifest = Annotated[Path | None, typer.Option(help="Write the fleet as CSV for `millpond import devices`.")]
Api = Annotated[str | None, typer.Option(help="Address of the platform's API: what only it knows is checked there.")]
Token = Annotated[str | None, typer.Option(help="An operator's token for it.", envvar="MILLPOND_TOKEN")]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds that the platform may acknowledge nothing, or its jobs may take.")
]
Reports = Annotated[
    list[Path] | None, typer.Option("--report", help="Write the result: .json, or .xml for JUnit; may be given twice.")
]
Register = Annotated[
    bool, typer.Option("--register", help="Register the scenario's households and devices through --api first.")
]
Jobs = Annotated[
    bool, typer.Option("--jobs", help="Then run forecasts and offers, for which it needs MILLPOND_DATABASE_URL.")
]
ListScenarios = Annotated[bool, typer.Option("--list-scenarios", help="What the shipped ones show.")]
Devices = Annotated[int | None, typer.Option(help="How many devices: 60.")]
Messages = Annotated[int | None, typer.Option(min=0, help="How many messages.")]
Models = Annotated[str | None, typer.Option(help="Mix by weight: reed-air-2=3,reed-tv-55=1.")]
FaultRates = Annotated[str | None, typer.Option("--faults", help="duplicates=0.01,reordering=0.01,truncated=0.001")]
Drive = Annotated[Path | None, typer.Option(help="CSV of time and value: hourly PM2.5 outside.")]
ClientCert = Annotated[Path | None, typer.Option(help="PEM of a client certificate.")]
ClientKey = Annotated[Path | None, typer.Option(help="PEM of its key.")]
StopAfter = Annotated[
    str | None,
    typer.Option("--stop-after", "--duration", help="End after so much real time: 90s, 15m, 2h, 1d; see --speed."),
]


@dataclass(frozen=True, slots=True)
class Call:
    """What the command line said."""

    broker: Broker = None
    scenario: ScenarioName = None
    list_scenarios: ListScenarios = False
    devices: Devices = None
    rate: Rate = None
    duration: StopAfter = None
    messages: Messages = None
    models: Models = None
    faults: FaultRates = None
    drive: Drive = None
    seed: Seed = None
    start: Start = None
    speed: Speed = None
    scale: Scale = 1
    connections: Connections = None
    compact: Compact = None
    ca_file: CaFile = None
    client_cert: ClientCert = None
    client_key: ClientKey = None
    api: Api = None
    token: Token = None
    register: Register = False
    jobs: Jobs = False
    patience: Patience = 30
    manifest: Manifest = None
    report: Reports = None


def simulate(call: Call) -> None:
    """Publish as a fleet of simulated devices does, to any MQTT broker.

    Each device keeps its readings until the platform acknowledges them. Register the fleet first: `--manifest` writes
    it for `millpond import devices`, and `--messages 0` publishes nothing. Exit 1 when nothing was published, when what
    was sent lies in quarantine (asked through --api), or when an expectation of the scenario is not met.
    """
    from millpond.cli import fleet_screen

    if call.list_scenarios:
        fleet_screen.list_scenarios()
        return
    settings = load_settings()
    configure_logging(settings.log_level)
    with fleet_screen.usage_errors():
        ok = _play(call, call.scenario, settings) if call.scenario else _simulate(call, settings)
    if not ok:
        raise typer.Exit(1)


app.command()(command_of(Call, simulate))


def _play(call: Call, name_or_file: str, settings: Settings) -> bool:
    from millpond.cli.fleet_jobs import make_job_run
    from millpond.cli.fleet_screen import show_played, showing_progress
    from millpond.services import until_signalled
    from simulators.scenarios.play import play_scenario, recording_of
    from simulators.scenarios.report import require_reports, write_reports
    from simulators.scenarios.scenario import load_scenario

    for option in ("devices", "rate", "duration", "messages", "models", "faults", "compact"):
        if getattr(call, option) is not None:
            raise InvalidInput(_said_by_the_scenario(option))
    require_reports(call.report or [])
    clock = settings.make_clock()
    scenario, folder = load_scenario(name_or_file)
    at = clock.now()
    scenario = scenario.changed(_changes(call, at)).shortened(call.scale)
    if recording := recording_of(scenario, folder):
        typer.echo(f"{scenario.drive}: {recording}", err=True)
    with until_signalled() as stop, showing_progress() as show:
        played = play_scenario(
            scenario,
            folder,
            _play_options(call, settings),
            clock,
            at=at,
            stop=stop,
            on_progress=show,
            before_judging=make_job_run(settings, clock) if call.jobs else None,
        )
    show_played(scenario, played, scale=call.scale)
    write_reports(call.report or [], played.summary, at, played.verdicts, name=Path(name_or_file).stem)
    return not played.failed


def _said_by_the_scenario(option: str) -> str:
    if option == "duration":
        return (
            "--stop-after (or --duration) is real time, and a scenario's `duration` the fleet's own: --scale plays a"
            " share of it, --speed makes it quicker"
        )
    return f"--{option} is said by the scenario: leave it out, or change a copy of the file"


def _changes(call: Call, at: datetime) -> dict[str, Any]:
    """What the command line says otherwise than the scenario's file."""
    said = {
        "seed": call.seed,
        "speed": call.speed,
        "connections": call.connections,
        "start": _parse_start(call.start, at),
        "drive": call.drive and str(call.drive.absolute()),
    }
    return {key: value for key, value in said.items() if value is not None}


def _play_options(call: Call, settings: Settings) -> "PlayOptions":
    from millpond.kernel.broker import TlsFiles
    from simulators.scenarios.platform import PlatformApi
    from simulators.scenarios.play import PlayOptions

    if call.register and not call.api:
        raise InvalidInput("--register needs --api and --token")
    return PlayOptions(
        _broker_url(call, settings),
        tls=TlsFiles(call.ca_file, call.client_cert, call.client_key),
        api=PlatformApi(call.api, call.token or "") if call.api else None,
        register=call.register,
        manifest=call.manifest,
        give_up_after_s=call.patience,
        patience_s=call.patience,
    )


def _simulate(call: Call, settings: Settings) -> bool:
    from millpond.cli.fleet_screen import show_summary, showing_progress
    from millpond.services import until_signalled
    from simulators.scenarios.simulation import simulate as simulate_fleet

    for option in ("register", "jobs"):
        if getattr(call, option):
            raise InvalidInput(f"--{option} belongs to --scenario: without one there is nothing to check")
    clock = settings.make_clock()
    options = _simulate_options(call, settings, clock.now())
    with until_signalled() as stop, showing_progress() as show:
        summary = simulate_fleet(options, clock, stop=stop, on_progress=show)
    show_summary(summary)
    return (bool(summary.messages_published) or call.messages == 0) and not summary.items_quarantined


def _simulate_options(call: Call, settings: Settings, at: datetime) -> "SimulateOptions":
    from millpond.kernel.broker import TlsFiles
    from simulators.life.drive import load_recording
    from simulators.runs.fleet import parse_mix
    from simulators.scenarios.platform import PlatformApi
    from simulators.scenarios.scenario import parse_span
    from simulators.scenarios.simulation import SimulateOptions
    from simulators.wire.faults import parse_faults

    try:
        duration_s = parse_span(call.duration).total_seconds() if call.duration else None
    except ValueError as error:
        raise InvalidInput(f"--stop-after {error}") from error
    recorded = load_recording(call.drive) if call.drive else None
    if recorded:
        typer.echo(f"{call.drive}: {recorded}", err=True)
    return SimulateOptions(
        broker_url=_broker_url(call, settings),
        devices=60 if call.devices is None else call.devices,
        rate=call.rate,
        duration_s=duration_s,
        messages=call.messages,
        seed=1 if call.seed is None else call.seed,
        start=_parse_start(call.start, at),
        speed=1 if call.speed is None else call.speed,
        mix=parse_mix(call.models) if call.models else None,
        faults=parse_faults(call.faults or ""),
        recorded=recorded,
        reports=call.report or [],
        manifest=call.manifest,
        gateways=1 if call.connections is None else call.connections,
        tls=TlsFiles(call.ca_file, call.client_cert, call.client_key),
        compact=call.compact,
        api=PlatformApi(call.api, call.token or "") if call.api else None,
        patience_s=call.patience,
    )


def _parse_start(text: str | None, now: datetime) -> datetime | None:
    return parse_at(text, now, "--start") if text else None


def _broker_url(call: Call, settings: Settings) -> str:
    url: str = call.broker or settings.require("broker_url").broker_url.get_secret_value()
    return url
