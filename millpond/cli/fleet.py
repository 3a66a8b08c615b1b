"""`millpond simulate`: a fleet against any broker."""

import threading
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from millpond.cli import app
from millpond.cli.jobs import parse_at
from millpond.kernel.errors import InvalidInput
from millpond.kernel.log import configure_logging
from millpond.kernel.settings import Settings, load_settings

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
Register = Annotated[bool, typer.Option("--register", help="Register the scenario's devices through --api first.")]


@app.command()
def simulate(
    broker: Broker = None,
    scenario: ScenarioName = None,
    list_scenarios: Annotated[bool, typer.Option("--list-scenarios", help="What the shipped ones show.")] = False,
    devices: Annotated[int | None, typer.Option(help="How many devices: 60.")] = None,
    rate: Rate = None,
    duration: Annotated[str | None, typer.Option(help="How long: 90s, 15m, 2h, 1d.")] = None,
    messages: Annotated[int | None, typer.Option(help="How many messages.")] = None,
    models: Annotated[str | None, typer.Option(help="Mix by weight: reed-air-2=3,reed-tv-55=1.")] = None,
    faults: Annotated[str | None, typer.Option(help="duplicates=0.01,reordering=0.01,truncated=0.001")] = None,
    drive: Annotated[Path | None, typer.Option(help="CSV of time and value: hourly PM2.5 outside.")] = None,
    seed: Seed = None,
    start: Start = None,
    speed: Speed = None,
    scale: Scale = 1,
    connections: Connections = None,
    compact: Compact = None,
    ca_file: CaFile = None,
    client_cert: Annotated[Path | None, typer.Option(help="PEM of a client certificate.")] = None,
    client_key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    api: Api = None,
    token: Token = None,
    register: Register = False,
    patience: Patience = 30,
    manifest: Manifest = None,
    report: Annotated[Path | None, typer.Option(help="Write the result: .json, or .xml for JUnit.")] = None,
) -> None:
    """Publish as a fleet of simulated devices does, to any MQTT broker.

    Each device keeps its readings until the platform acknowledges them. Register the fleet first: `--manifest` writes
    it for `millpond import devices`, and `--messages 0` publishes nothing. Exit 1 when nothing was published, or an
    expectation of the scenario is not met.
    """
    from millpond.cli import fleet_screen

    if list_scenarios:
        fleet_screen.list_scenarios()
        return
    settings = load_settings()
    configure_logging(settings.log_level)
    given = dict(locals())
    with fleet_screen.meant():
        ok = _play(given, settings) if scenario else _simulate(given, settings)
    if not ok:
        raise typer.Exit(1)


def _play(given: dict[str, Any], settings: Settings) -> bool:
    from millpond.cli.fleet_screen import show_played, showing_progress
    from millpond.services import until_signalled
    from simulators.report import require_report, write_report
    from simulators.scenario import load_scenario
    from simulators.scenario_run import play_scenario, recording_of

    for option in ("devices", "rate", "duration", "messages", "models", "faults", "compact"):
        if given[option] is not None:
            raise InvalidInput(f"--{option} is said by the scenario: leave it out, or change a copy of the file")
    if given["report"]:
        require_report(given["report"])
    clock = settings.make_clock()
    scenario, folder = load_scenario(given["scenario"])
    at = clock.now()
    changes = {name: given[name] for name in ("seed", "speed", "connections") if given[name] is not None}
    if given["start"]:
        changes["start"] = _parse_start(given["start"], at)
    if given["drive"]:
        changes["drive"] = str(given["drive"].absolute())
    scenario = scenario.changed(changes).shortened(given["scale"])
    if recording := recording_of(scenario, folder):
        typer.echo(f"{scenario.drive}: {recording}", err=True)
    with until_signalled() as stop, showing_progress() as show:
        played = play_scenario(
            scenario, folder, _play_options(given, settings), clock, at=at, stop=stop, on_progress=show
        )
    show_played(scenario, played, scale=given["scale"])
    if given["report"]:
        write_report(given["report"], played.summary, at, played.verdicts, name=Path(given["scenario"]).stem)
    return not played.failed


def _play_options(given: dict[str, Any], settings: Settings) -> Any:
    from simulators.platform import PlatformApi
    from simulators.publisher import TlsFiles
    from simulators.scenario_run import PlayOptions

    if given["register"] and not given["api"]:
        raise InvalidInput("--register needs --api and --token")
    return PlayOptions(
        _broker_url(given, settings),
        tls=TlsFiles(given["ca_file"], given["client_cert"], given["client_key"]),
        api=PlatformApi(given["api"], given["token"] or "") if given["api"] else None,
        register=given["register"],
        manifest=given["manifest"],
        give_up_after_s=given["patience"],
        patience_s=given["patience"],
    )


def _simulate(given: dict[str, Any], settings: Settings) -> bool:
    from millpond.cli.fleet_screen import show_summary, showing_progress
    from millpond.services import until_signalled

    for option in ("api", "register"):
        if given[option]:
            raise InvalidInput(f"--{option} belongs to --scenario: without one there is nothing to check")
    run, clock = _make_run(given, settings), settings.make_clock()
    with until_signalled() as stop, showing_progress() as show:
        summary = run(clock, stop, show)
    show_summary(summary)
    return bool(summary.messages_published) or given["messages"] == 0


def _make_run(given: dict[str, Any], settings: Settings) -> Any:
    from simulators.drive import load_recording
    from simulators.faults import parse_faults
    from simulators.fleet import parse_mix
    from simulators.publisher import TlsFiles
    from simulators.run import SimulateOptions, run_simulation
    from simulators.scenario import parse_span

    try:
        duration_s = parse_span(given["duration"]).total_seconds() if given["duration"] else None
    except ValueError as error:
        raise InvalidInput(f"--duration {error}") from error
    recorded = load_recording(given["drive"]) if given["drive"] else None
    if recorded:
        typer.echo(f"{given['drive']}: {recorded}", err=True)
    options = SimulateOptions(
        broker_url=_broker_url(given, settings),
        devices=60 if given["devices"] is None else given["devices"],
        rate=given["rate"],
        duration_s=duration_s,
        messages=given["messages"],
        seed=1 if given["seed"] is None else given["seed"],
        start=_parse_start(given["start"], settings.make_clock().now()) if given["start"] else None,
        speed=1 if given["speed"] is None else given["speed"],
        mix=parse_mix(given["models"]) if given["models"] else None,
        faults=parse_faults(given["faults"] or ""),
        recorded=recorded,
        report=given["report"],
        manifest=given["manifest"],
        gateways=1 if given["connections"] is None else given["connections"],
        tls=TlsFiles(given["ca_file"], given["client_cert"], given["client_key"]),
        compact=given["compact"],
    )

    def run(clock: Any, stop: threading.Event, show: Any) -> Any:
        return run_simulation(options, clock, stop=stop, on_progress=show)

    return run


def _parse_start(text: str, now: datetime) -> datetime:
    try:
        return parse_at(text, now)
    except InvalidInput as error:
        raise InvalidInput(str(error).replace("--at", "--start", 1)) from error


def _broker_url(given: dict[str, Any], settings: Settings) -> str:
    url: str = given["broker"] or settings.require("broker_url").broker_url.get_secret_value()
    return url
