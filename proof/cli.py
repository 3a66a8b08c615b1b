"""The command line of the proof, and its table."""

import json
import os
import secrets
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import MillpondError
from proof.capacity import RATE, measure_capacity, rate_for
from proof.faults import database, messages, neighbours, network, processes, schedulers, storage, upgrade
from proof.outcome import Outcome, Size
from proof.report import build_table, describe, judge
from proof.world import World, world

_CONSOLE = Console(stderr=True)

Fault = Callable[[World, Size, int], Outcome]
FAULTS: dict[str, Fault] = {
    "ingest-kill": processes.kill_ingest,
    "shards-kill": processes.kill_shards,
    "broker-kill": processes.kill_broker,
    "forgetful-broker-kill": processes.kill_forgetful_broker,
    "postgres-stop": database.stop_postgres,
    "slow-database": database.slow_database,
    "locked-table": database.locked_table,
    "disk-full": storage.fill_disk,
    "poison": messages.poison,
    "hostile-neighbours": neighbours.bear_hostile_neighbours,
    "broker-link": network.break_broker_link,
    "database-link": network.break_database_link,
    "queue-overflow": processes.overflow_broker,
    "clock-jumps": messages.jump_clocks,
    "schedulers": schedulers.break_schedulers,
    "migration": upgrade.migrate_meanwhile,
}

# They let time pass more than they load the machine, and stop no server but their own.
WAITING = ("schedulers", "postgres-stop", "locked-table", "broker-link")


def run_fault(made: World, name: str, size: Size, seed: int) -> dict[str, Any]:
    """Run one fault and return its line: the outcome's fields, `fault`, `seconds`, `seed` and `ok`."""
    began = monotonic()
    try:
        outcome = FAULTS[name](made, size, seed)
    except (MillpondError, psycopg.Error, OSError) as error:
        outcome = Outcome(complaints=[" ".join(str(error).split()) or type(error).__name__])
    return judge(name, outcome, seed, monotonic() - began, forgive_time=size.forgive_time)


Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Faults to run; all without a name.")]
Long = Annotated[bool, typer.Option("--long", help="As often as before a release: hours instead of minutes.")]
Seed = Annotated[int | None, typer.Option(help="Repeats a run's devices and poison; printed by every run.")]
Devices = Annotated[int, typer.Option(min=1, help="How many devices.")]
Rate = Annotated[
    float | None,
    typer.Option(min=1, help="Samples a second of all devices; default 1,000, or what this machine recovers at."),
]
ForgiveTime = Annotated[
    bool, typer.Option("--forgive-time", help="Tell what took too long, and fail for counts alone: noisy machines.")
]
HalfYear = Annotated[
    bool, typer.Option("--half-year", help="Every database holds half a year of readings, compressed where it can.")
]
Programs = Annotated[
    Path | None,
    typer.Option(help="Folder of PostgreSQL's programs instead of the wheel's; TimescaleDB is loaded if it is there."),
]
Keep = Annotated[Path | None, typer.Option(help="Keep logs, journals and databases in this new folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the lines as one JSON object.")]
List = Annotated[bool, typer.Option("--list", help="Say what there is and end.")]


def main() -> None:
    """The command."""
    # SIGTERM, like Ctrl-C, leaves nothing running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
    app.command()(faults)
    app(prog_name="scripts/faults")


def faults(
    names: Names = None,
    long: Long = False,
    seed: Seed = None,
    devices: Devices = 200,
    rate: Rate = None,
    forgive_time: ForgiveTime = False,
    half_year: HalfYear = False,
    postgres: Programs = None,
    keep: Keep = None,
    as_json: Json = False,
    list_them: List = False,
) -> None:
    """Prove that nothing is lost and nothing is counted twice, whatever breaks.

    Starts a PostgreSQL, a broker, ingest and the API as real processes, and 200 devices in a process of their own that
    write every sample to disk before they send it. Then it breaks something, waits for the recovery, lets the devices
    drain, and holds the database against what the devices wrote: value by value, each exactly once.

    It fails (exit 1) when a value is lost, duplicated, invented or changed, when ingest's own counts do not add up,
    when a sample is never acknowledged, or when a recovery takes longer than it may (unless
    `--forgive-time` is given: machines that others use too are slow at times, and never lose anything).
    """
    if list_them:
        sys.stdout.write("".join(f"{name:<24}{_sentence(name)}\n" for name in FAULTS))
        return
    chosen = _choose_faults(names)
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    size = Size(devices, rate or RATE, long, forgive_time, half_year)
    lanes = sum(map(bool, share_out(chosen)))
    try:
        with world(keep, postgres) as made:
            size = size if rate else replace(size, rate=_choose_rate(made, devices, seed, lanes))
            lines = _run(made, chosen, size, seed)
    except MillpondError as error:
        _CONSOLE.print(str(error), style="red")
        raise typer.Exit(1) from error
    _tell(lines, seed, long=long, as_json=as_json)
    raise typer.Exit(0 if all(line["ok"] for line in lines) else 1)


def _choose_faults(names: list[str] | None) -> list[str]:
    if unknown := [name for name in names or [] if name not in FAULTS]:
        _CONSOLE.print(f"fault {unknown[0]!r} is not known: choose from {', '.join(FAULTS)}", style="red")
        raise typer.Exit(2)
    return names or list(FAULTS)


def _tell(lines: list[dict[str, Any]], seed: int, *, long: bool, as_json: bool) -> None:
    if as_json:
        ok = all(line["ok"] for line in lines)
        summary = {"ok": ok, "seed": seed, "long": long, "cpus": os.cpu_count(), "faults": lines}
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 200).print(build_table(lines, seed, long))


def _choose_rate(made: World, devices: int, seed: int, lanes: int) -> float:
    with _CONSOLE.status("Measuring what this machine can do"):
        capacity = measure_capacity(made, devices, seed)
    rate = rate_for(capacity, lanes)
    _CONSOLE.print(
        f"works off {capacity:,.0f} messages/s; {devices} devices send {rate:,.0f}/s together", highlight=False
    )
    return rate


def _run(made: World, chosen: list[str], size: Size, seed: int) -> list[dict[str, Any]]:
    """In two lanes, each one after the other: those that wait most of the time go beside those that work."""
    beside, others = share_out(chosen)
    with ThreadPoolExecutor(max_workers=1) as pool:
        futures = [pool.submit(run_fault, made, name, size, seed) for name in beside]
        lines = []
        try:
            for name in others:
                with _CONSOLE.status(f"{name}: {_sentence(name)}"):
                    lines.append(run_fault(made, name, size, seed))
                _CONSOLE.print(describe(lines[-1]), highlight=False)
            for future in futures:
                lines.append(future.result())
                _CONSOLE.print(describe(lines[-1]), highlight=False)
        except BaseException:
            made.interrupted.set()
            pool.shutdown(cancel_futures=True)
            raise
    return lines


def share_out(chosen: list[str]) -> tuple[list[str], list[str]]:
    """Which of the chosen run in the lane of those that wait, and which in the other; all in one if that is all."""
    waiting, working = ([name for name in chosen if (name in WAITING) is waits] for waits in (True, False))
    return (waiting, working) if working else ([], waiting)


def _sentence(name: str) -> str:
    return (FAULTS[name].__doc__ or "").splitlines()[0]
