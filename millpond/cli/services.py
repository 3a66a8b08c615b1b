"""Commands that run the services: migrate, ingest, schedule, serve, demo."""

from pathlib import Path
from typing import Annotated

import typer

from millpond.cli import app
from millpond.kernel.log import configure_logging
from millpond.kernel.settings import Settings, load_settings


def start(*needed: str) -> Settings:
    """Settings with what the command needs, and logging set up."""
    settings = load_settings().require(*needed)
    configure_logging(settings.log_level)
    return settings


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date, and renew profiles and catalogue: those that ship, and your own.

    A file of your own that cannot be taken in is named, and stops nothing.
    """
    from millpond.services import prepare_database, take_in_own_files

    settings = start("database_url")
    applied = prepare_database(settings, settings.make_clock())
    typer.echo(f"applied {len(applied)}: {', '.join(applied)}" if applied else "the schema is up to date")
    for fault in take_in_own_files(settings, settings.make_clock()).faults:
        typer.echo(f"millpond: {fault}", err=True)


@app.command()
def ingest() -> None:
    """Store what devices publish, and acknowledge it when it is committed."""
    from millpond.kernel.collector import search_rarely
    from millpond.services import ingesting, require_schema, until_signalled

    settings = start("database_url", "broker_url")
    require_schema(settings)
    search_rarely()
    with until_signalled() as stop, ingesting(settings, settings.make_clock(), on_end=stop.set):
        stop.wait()


@app.command()
def schedule() -> None:
    """Run forecasts, offers, releases and retention when they are due. Several schedulers share the work safely."""
    from millpond.services import require_schema, scheduling, until_signalled

    settings = start("database_url")
    require_schema(settings)
    with until_signalled() as stop, scheduling(settings, settings.make_clock(), on_end=stop.set):
        stop.wait()


@app.command()
def serve() -> None:
    """Serve the HTTP API and the pages."""
    from millpond.services import require_schema, serving, until_signalled

    settings = start("database_url", "jwt_secret")
    require_schema(settings)
    with until_signalled() as stop, serving(settings, settings.make_clock()) as address:
        typer.echo(f"serving at {address}", err=True)
        stop.wait()


@app.command()
def demo(
    devices: Annotated[int, typer.Option(min=1, help="How many devices the simulated fleet has.")] = 60,
    days: Annotated[int, typer.Option(min=30, max=360, help="Days of history sent through MQTT.")] = 180,
    seed: Annotated[int, typer.Option(help="Makes the fleet repeatable.")] = 7,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages; 0 takes a free one.")] = 8040,
    speed: Annotated[float, typer.Option(min=1, help="How fast the clock runs once the pages are up.")] = 600,
    data: Annotated[Path | None, typer.Option(help="Keep the data in this folder; without it nothing is kept.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Close the loop once and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Show the whole loop on this machine: no Docker, no root, no configuration.

    A simulated fleet's telemetry crosses a real broker into a real database, forecasts date the 10 % mark, offers are
    issued, a customer accepts one, the order is credited to the staff member whose code was scanned, and the ledger
    balances. It ends by printing the address of the pages and three logins. Ctrl-C ends it.
    """
    from millpond.demo import DemoOptions, run_demo

    options = DemoOptions(devices=devices, days=days, seed=seed, port=port, speed=speed, folder=data, once=once)
    raise typer.Exit(run_demo(options, as_json=json))
