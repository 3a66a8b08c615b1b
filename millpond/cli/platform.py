"""`millpond platform`: a whole platform for somebody's test suite, as the pytest plugin starts it."""

from datetime import UTC
from typing import Annotated

import typer

from millpond.cli import app
from millpond.cli.jobs import parse_at

_START = "2026-03-01"


@app.command(hidden=True)
def platform(
    dsn: Annotated[
        str | None, typer.Option(envvar="MILLPOND_TEST_DSN", help="PostgreSQL in which it may create a database.")
    ] = None,
    broker: Annotated[
        str | None, typer.Option(envvar="MILLPOND_TEST_BROKER", help="MQTT broker that nobody else uses meanwhile.")
    ] = None,
    start: Annotated[
        str, typer.Option(help="Its first moment, RFC 3339, or `now`; then its time stands still.")
    ] = _START,
    schedule: Annotated[bool, typer.Option("--schedule", help="Also run the scheduler.")] = False,
) -> None:
    """Run a platform for tests, on embedded servers unless others are given.

    It prints one JSON line when it is ready, then answers one JSON request a line on stdin, and ends when stdin closes.
    """
    from millpond.kernel.clock import SystemClock
    from millpond.testing_host.run import HostOptions, run_testing_host

    now = SystemClock().now()
    at = now if start == "now" else parse_at(start, now, "--start")
    run_testing_host(HostOptions(dsn, broker, at.astimezone(UTC), schedule))
