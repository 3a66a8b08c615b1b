"""What all benchmarks share: servers of their own, a stopwatch, and one way to tell the result."""

import json as jsonlib
import math
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from millpond.embedded.broker import embedded_broker
from millpond.embedded.databases import temporary_database
from millpond.embedded.postgres import embedded_postgres
from millpond.kernel.clock import SystemClock, monotonic
from millpond.kernel.db import connect
from millpond.kernel.errors import MillpondError
from millpond.kernel.log import configure_logging
from millpond.services import prepare_schema

T = TypeVar("T")

_LOAD_BEFORE = round(os.getloadavg()[0], 2)

Dsn = Annotated[
    str | None,
    typer.Option(help="A PostgreSQL server, where a database is created and dropped again; the embedded one without."),
]
Broker = Annotated[
    str | None,
    typer.Option(help="An MQTT broker that nobody else uses meanwhile, mqtt://host:port; the embedded one without."),
]
NoBroker = Annotated[
    str | None, typer.Option("--broker", help="Not needed here; taken so that all benchmarks are called alike.")
]
Seed = Annotated[int, typer.Option(help="Makes the fleet repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured. `figure` names the headline among `figures`; the reference is in the same `unit`."""

    benchmark: str
    figure: str
    unit: str
    figures: dict[str, float]
    reference: float
    reference_name: str
    sizes: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The headline figure over the reference."""
        return self.figures[self.figure] / self.reference


def run(benchmark: Callable[..., None]) -> None:
    """The command line of one benchmark: an error of ours is one sentence on stderr, and exit 1."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    app.command()(benchmark)
    configure_logging("ERROR")
    try:
        app()
    except (MillpondError, psycopg.OperationalError) as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        sys.exit(1)


def tell(result: Result, *, as_json: bool) -> None:
    """Print the result: one JSON object on one line, or a table."""
    if as_json:
        print(jsonlib.dumps(_to_json(result)))
    else:
        _print_table(result)


def _to_json(result: Result) -> dict[str, Any]:
    return {
        "benchmark": result.benchmark,
        "figure": result.figure,
        "unit": result.unit,
        **{name: round_figure(value) for name, value in result.figures.items()},
        "reference": round_figure(result.reference),
        "reference_name": result.reference_name,
        "ratio": round_figure(result.ratio),
        "sizes": result.sizes,
        "notes": result.notes,
        "machine": describe_machine(),
    }


def round_figure(value: float) -> float | None:
    """Four digits, which is more than any of these figures is good for; None for what could not be measured."""
    return None if math.isnan(value) else float(f"{value:.4g}")


def describe_machine() -> dict[str, Any]:
    """Where this ran; `load_1m` is from before it began."""
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_1m": _LOAD_BEFORE,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def _print_table(result: Result) -> None:
    table = Table(title=f"{result.benchmark}, in {result.unit} where a name does not say otherwise")
    table.add_column("what", overflow="fold")
    table.add_column("figure", justify="right")
    for name, value in result.figures.items():
        table.add_row(f"[bold]{name}" if name == result.figure else name, _show(value))
    table.add_section()
    table.add_row(f"reference: {result.reference_name}", _show(result.reference))
    table.add_row(f"ratio: {result.figure} / reference", _show(result.ratio))
    console = Console()
    console.print(table)
    described = {**result.sizes, **describe_machine()}
    for line in [", ".join(f"{name} {value}" for name, value in described.items()), *result.notes]:
        console.print(line)


def _show(value: float) -> str:
    rounded = round_figure(value)
    return "–" if rounded is None else f"{rounded:,}"


@contextmanager
def step(sentence: str) -> Iterator[None]:
    """Says on a terminal what is being done."""
    with Console(stderr=True).status(sentence):
        yield


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """What `act` returns, and the seconds it took."""
    started = monotonic()
    answer = act()
    return answer, monotonic() - started


@contextmanager
def fresh_database(dsn: str | None) -> Iterator[str]:
    """DSN of a migrated and seeded database on the server `dsn` or on the embedded one; dropped at the end."""
    with tempfile.TemporaryDirectory(prefix="millpond-benchmark-") as folder:
        if dsn is None:
            with embedded_postgres(Path(folder) / "pg") as server:
                with _database_on(server) as own:
                    yield own
        else:
            with _database_on(dsn) as own:
                yield own


@contextmanager
def _database_on(server: str) -> Iterator[str]:
    with temporary_database(server, prefix="millpond_benchmark") as own:
        with connect(own) as conn:
            prepare_schema(conn, SystemClock().now())
        yield own


@contextmanager
def some_broker(url: str | None) -> Iterator[str]:
    """URL of the broker given, or of an embedded one."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="millpond-benchmark-") as folder:
        with embedded_broker(Path(folder)) as own:
            yield own
