"""`millpond shoppers`: a town of people who do not exist, as files that Millpond and others can take in."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from millpond.cli import WrongUse, app
from millpond.cli.jobs import parse_at
from millpond.cli.progress import CountedProgress
from millpond.kernel.clock import SystemClock


@app.command()
def shoppers(
    folder: Annotated[Path | None, typer.Argument(help="Where the files go; it is made if it is not there.")] = None,
    town: Annotated[str, typer.Option(help="A town's YAML file, or the name of a shipped one.")] = "small-town",
    people: Annotated[int | None, typer.Option(min=1, help="How many people, instead of the town's.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How many days, instead of the town's.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed, town and start give the same files, to the byte.")] = 1,
    start: Annotated[str | None, typer.Option(help="RFC 3339; without it they end at the last midnight (UTC).")] = None,
    list_towns: Annotated[bool, typer.Option("--list-towns", help="What the shipped towns show.")] = False,
) -> None:
    """Write what simulated shoppers do: events by source, the tills' files of the day, and the truth.

    `events-SOURCE.ndjson` are calls of Segment's tracking API, `till-STORE-DAY.csv` sales and returns in shops, and
    `truth.ndjson` says who is who, what everybody likes, why they bought, and what each offer really changed.
    """
    from simulators.shoppers.scenario import Population, read_town, shipped_towns
    from simulators.shoppers.shelf import shipped_shelf
    from simulators.shoppers.world_files import write_world

    if list_towns:
        for name, each in sorted(shipped_towns().items()):
            typer.echo(f"{name:<16} {each.shows} ({each.people} people, {each.days} days)")
        return
    if folder is None:
        raise WrongUse("say into which folder: millpond shoppers FOLDER")
    asked = {name: given for name, given in (("people", people), ("days", days)) if given is not None}
    chosen = read_town(town).model_copy(update=asked)
    now = SystemClock().now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = parse_at(start, now, "--start") if start is not None else midnight - timedelta(days=chosen.days)
    population = Population(chosen, shipped_shelf(start=begins, seed=seed), begins, seed)
    with CountedProgress("people") as progress:
        written = write_world(population, folder, on_progress=progress)
    tills = [lines for name, lines in written.lines.items() if name.startswith("till-")]
    for name, lines in written.lines.items():
        if not name.startswith("till-"):
            typer.echo(f"{lines:>9,}  {folder / name}")
    typer.echo(f"{sum(tills):>9,}  in {len(tills)} files till-STORE-DAY.csv")
    typer.echo(f"again: --seed {seed} --start {begins.isoformat()}")
