"""`millpond plan`: which events there are, and what their properties are like."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from millpond.cli import app
from millpond.cli.tables import make_table
from millpond.kernel.errors import InvalidInput, MillpondError, NotFound
from millpond.kernel.settings import load_settings

if TYPE_CHECKING:
    from events.plan.plan import Plan

plan = typer.Typer(no_args_is_help=True, help="Say which events there are and what their properties are like.")
app.add_typer(plan, name="plan")

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files of a plan.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="EVENT", help="The event's name.", show_default=False)]


@plan.command("list")
def list_() -> None:
    """List the events of the plan that ships and of your own (MILLPOND_PLANS_DIR)."""
    table = make_table("event", "says", "needs")
    for name, event in sorted(_load().events.items()):
        table.add_row(name, event.says, ", ".join(event.properties.get("required", [])))
    Console(markup=False, emoji=False).print(table)


@plan.command()
def show(name: Name) -> None:
    """Show an event: what it says, where its SKU, order and value stand, and the JSON Schema of its properties."""
    loaded = _load()
    event = loaded.events.get(name)
    if event is None:
        raise NotFound(f"the plan has no event {name[:100]!r}: `millpond plan list` has those that there are")
    typer.echo(f"{name}: {event.says}")
    for what, places in (("sku", event.sku), ("order", event.order), ("value", event.value)):
        if places:
            typer.echo(f"{what} in: {', '.join(places)}")
    typer.echo(json.dumps(loaded.schemas[name], indent=2, ensure_ascii=False))


@plan.command()
def check(files: Files) -> None:
    """Say what is wrong with files of a plan, one sentence each. Exit 1 when anything is."""
    from events.plan.files import check_plan

    faults = 0
    for path in files:
        try:
            check_plan(path, load_settings().plans_dir)
            typer.echo(f"✓ {path}")
        except InvalidInput as error:
            typer.echo(f"✗ {error}")
            faults += 1
    if faults:
        raise MillpondError(f"{faults} of {len(files)} files cannot be taken in")


def _load() -> "Plan":
    from events.plan.files import load_plan

    return load_plan(load_settings().plans_dir)
