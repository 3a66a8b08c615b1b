"""`millpond simulate`: a fleet against any broker."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from millpond.cli import app
from millpond.kernel.errors import InvalidInput
from millpond.kernel.log import configure_logging
from millpond.kernel.settings import load_settings

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration(text: str) -> float:
    """Seconds in `90`, `90s`, `15m`, `2h` or `1d`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"--duration {text!r} is none of 90, 90s, 15m, 2h, 1d")
    return float(match[1]) * _SECONDS[match[2] or "s"]


Broker = Annotated[str | None, typer.Option(help="mqtt://user:pass@host:port, or mqtts://; MILLPOND_BROKER_URL.")]
Rate = Annotated[float | None, typer.Option(help="Messages per second of the whole fleet; as fast as it goes.")]
Connections = Annotated[int, typer.Option(help="Connections that share the devices; 0 is one for each.")]
CaFile = Annotated[Path | None, typer.Option(help="PEM of the authority that signed the broker's certificate.")]
Manifest = Annotated[Path | None, typer.Option(help="Write the fleet as CSV for `millpond import devices`.")]


@app.command()
def simulate(
    broker: Broker = None,
    devices: Annotated[int, typer.Option(help="How many devices.")] = 60,
    rate: Rate = None,
    duration: Annotated[str | None, typer.Option(help="How long: 90s, 15m, 2h, 1d.")] = None,
    messages: Annotated[int | None, typer.Option(help="How many messages.")] = None,
    models: Annotated[str | None, typer.Option(help="Mix by weight: reed-air-2=3,reed-tv-55=1.")] = None,
    faults: Annotated[str | None, typer.Option(help="duplicates=0.01,reordering=0.01,malformed=0.001")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same fleet, to the byte.")] = 1,
    speed: Annotated[float, typer.Option(help="Seconds of the fleet in one real second (with --rate).")] = 1,
    connections: Connections = 1,
    ca_file: CaFile = None,
    client_cert: Annotated[Path | None, typer.Option(help="PEM of a client certificate.")] = None,
    client_key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    manifest: Manifest = None,
    report: Annotated[Path | None, typer.Option(help="Write the result: .json, or .xml for JUnit.")] = None,
) -> None:
    """Publish as a fleet of simulated devices does, to any MQTT broker.

    Each device keeps its readings until the platform acknowledges them. Register the fleet first: `--manifest` writes
    it for `millpond import devices`, and `--messages 0` publishes nothing. Exit 1 when nothing was published.
    """
    from millpond.services import until_signalled
    from simulators.faults import parse_faults
    from simulators.fleet import parse_mix
    from simulators.fleet_run import Progress
    from simulators.publisher import TlsFiles
    from simulators.run import SimulateOptions, run_simulation

    settings = load_settings()
    configure_logging(settings.log_level)
    options = SimulateOptions(
        broker_url=broker or settings.require("broker_url").broker_url.get_secret_value(),
        devices=devices,
        rate=rate,
        duration_s=parse_duration(duration) if duration else None,
        messages=messages,
        seed=seed,
        speed=speed,
        mix=parse_mix(models) if models else None,
        faults=parse_faults(faults or ""),
        report=report,
        manifest=manifest,
        gateways=connections,
        tls=TlsFiles(ca_file, client_cert, client_key),
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
    with until_signalled() as stop, bar:
        task = bar.add_task("connecting", total=None)

        def show(progress: Progress) -> None:
            safe = f"{progress.acked:,} of {progress.samples:,} samples safe"
            bar.update(task, description=f"{progress.phase}: {progress.messages_published:,} messages, {safe}")

        summary = run_simulation(options, settings.make_clock(), stop=stop, on_progress=show)
    typer.echo(
        f"{summary.devices} devices published {summary.messages_published:,} messages with {summary.samples:,} samples"
        f" in {summary.seconds:.1f} s; {summary.acked:,} acknowledged, {summary.unacked:,} not"
    )
    if summary.messages_published == 0 and messages != 0:
        raise typer.Exit(1)
