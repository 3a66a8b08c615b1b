"""`millpond dam`: what is known of people over all channels, and what leaks."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from millpond.cli import app
from millpond.cli.jobs import At, parse_at
from millpond.cli.opened import opened

if TYPE_CHECKING:
    from dam.report.nouns import DamReport

dam = typer.Typer(no_args_is_help=True, help="What is known of people over all channels, and what leaks.")
app.add_typer(dam, name="dam")


@dam.callback()
def options() -> None:
    """Keeps `report` a word of its own while it is the only one."""


@dam.command()
def report(
    at: At = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days back.")] = 30,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell how much of orders, events and devices is tied to a known customer, its faults, and where it leaks.

    It looks at what came in within the days before a moment, by the links to customers that were known then.
    """
    from dam.report.report import read_report

    with opened() as (_, conn, now):
        read = read_report(conn, parse_at(at, now), window=timedelta(days=days))
    if json:
        from api.told.dam import tell_dam_report

        typer.echo(tell_dam_report(read, "en").model_dump_json())
    else:
        _show(read)


def _show(report: "DamReport") -> None:
    from dam.report.nouns import Flow
    from dam.report.speech import say_lost, say_stop

    table = Table(title=f"{report.since:%Y-%m-%d} to {report.at:%Y-%m-%d %H:%M} UTC", title_justify="left")
    for name in ("", "place", "in all", "tied to a known customer"):
        table.add_column(name, justify="left" if name in ("", "place") else "right", overflow="fold")
    for flow in Flow:
        for share in [report.total(flow), *report.of(flow)]:
            place = share.place or share.channel
            known = f"{share.known:,} ({100 * share.known / share.total:.1f} %)" if share.total else "–"
            table.add_row("" if place else flow.value, escape(place), f"{share.total:,}", known)
    Console().print(table)
    for flow in report.untold():
        typer.echo(f"{flow.value}: nothing tells us of these yet")
    for leak in report.leaks:
        typer.echo(f"- {say_lost(leak, 'en')}\n  {say_stop(leak, 'en')}")
    if not report.leaks:
        typer.echo("no leak of one per cent or more")
