"""What `millpond simulate` shows: progress on stderr, a table of what came of it on stdout."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import InvalidInput
from simulators.runs.summary import FleetSummary, Progress
from simulators.scenarios.expectations import Outcome
from simulators.scenarios.play import Played
from simulators.scenarios.scenario import Scenario, load_scenario, shipped_scenarios

_LINE_EVERY_S = 5.0
_MARKS = {Outcome.PASSED: "[green]passed[/]", Outcome.FAILED: "[red]failed[/]", Outcome.NOT_CHECKED: "not checked"}


@contextmanager
def usage_errors() -> Iterator[None]:
    """Within it, InvalidInput ends the command with its sentence and exit 2."""
    try:
        yield
    except InvalidInput as error:
        typer.echo(f"millpond: {error}", err=True)
        raise typer.Exit(2) from error


@contextmanager
def showing_progress() -> Iterator[Callable[[Progress], None]]:
    """A function that shows how far a fleet is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("connecting", total=None)
        told = monotonic()

        def show(progress: Progress) -> None:
            nonlocal told
            safe = f"{progress.acked:,} of {progress.samples:,} samples safe"
            line = f"{progress.phase} {progress.at:%Y-%m-%d}: {progress.messages_published:,} messages, {safe}"
            bar.update(task, description=line)
            if not console.is_terminal and monotonic() - told >= _LINE_EVERY_S:
                told = monotonic()
                typer.echo(line, err=True)

        yield show


def show_summary(summary: FleetSummary) -> None:
    """One line of what a fleet did."""
    typer.echo(
        f"{summary.devices} devices published {summary.messages_published:,} messages with {summary.samples:,} samples"
        f" in {summary.seconds:.1f} s; {summary.acked:,} acknowledged, {summary.unacked:,} not"
    )
    if summary.items_quarantined:
        typer.echo(f"{summary.items_quarantined:,} items of it lie in the platform's quarantine: they did not arrive")


def show_played(scenario: Scenario, played: Played, *, scale: float) -> None:
    """The summary of a scenario, and a row for each expectation."""
    show_summary(played.summary)
    struck = ", ".join(f"{name} {count:,}" for name, count in played.summary.faults.items())
    if struck:
        typer.echo(f"faults struck: {struck}")
    typer.echo(f"{scenario.title}: {scenario.shows}")
    table = Table()
    table.add_column("expectation", no_wrap=True)
    for column in ("expected", "found", "outcome"):
        table.add_column(column, overflow="fold")
    for verdict in played.verdicts:
        table.add_row(verdict.name, verdict.expected, verdict.found, _MARKS[verdict.outcome])
    Console().print(table)
    scaled = f" --scale {scale:g}" if scale != 1 else ""
    typer.echo(f"the same bytes again: --seed {scenario.seed} --start {played.start.isoformat()}{scaled}")


def list_scenarios() -> None:
    """The shipped scenarios, each with a sentence on what it shows."""
    table = Table.grid(padding=(0, 2))
    for name in shipped_scenarios():
        table.add_row(f"[bold]{name}[/]", load_scenario(name)[0].shows)
    Console().print(table)
