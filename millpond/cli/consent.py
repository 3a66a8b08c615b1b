"""`millpond consent`: for what customers' data may be used, in which words, and whom to ask again."""

import json as jsonlib
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from millpond.cli import app
from millpond.cli.opened import opened
from millpond.cli.tables import make_table, short_time

consent = typer.Typer(no_args_is_help=True, help="For what customers' data may be used, and whom to ask again.")
app.add_typer(consent, name="consent")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
File = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="YAML, as customers/purposes.yaml is.")]
Days = Annotated[int, typer.Option("--within-days", min=0, max=3650, help="Also those that end so soon.")]


@consent.command()
def purposes(json: Json = False) -> None:
    """List every version of every purpose: its basis, its words, what is used and how long."""
    from customers.purposes import select_purposes

    with opened() as (_, conn, _at):
        found = select_purposes(conn)
    if json:
        for each in found:
            typer.echo(jsonlib.dumps(asdict(each), default=str, ensure_ascii=False))
        return
    table = make_table("purpose", "version", "basis", "words", "from")
    for each in found:
        whose = "own" if each.own else "shipped"
        table.add_row(each.purpose, str(each.version), each.basis, escape(each.words["en"]), whose)
    Console().print(table)


@consent.command()
def load(file: File) -> None:
    """Take in your own words: new versions of purposes, which hold from now on and are never changed.

    Where the basis is consent, everybody who said yes to older words is asked again. What ships has no say in a purpose
    any more that you have worded. The file is taken in whole or not at all.
    """
    from customers.purposes import load_purposes
    from devices.own_files import read_text

    with opened() as (_, conn, at):
        new = load_purposes(conn, read_text(file), str(file), at=at)
    said = ", ".join(f"{purpose} {version}" for purpose, version in new)
    typer.echo(f"{len(new)} new versions{f': {said}' if said else ''}")


@consent.command()
def renewals(within_days: Days = 30, json: Json = False) -> None:
    """List whom to ask again: a yes that is too old for where the customer lives, or soon will be, oldest first."""
    from customers.sending import select_renewals

    with opened() as (_, conn, at):
        due = select_renewals(conn, at, within=timedelta(days=within_days))
    if json:
        for each in due:
            typer.echo(jsonlib.dumps(asdict(each), default=lambda value: value.isoformat()))
        return
    table = make_table("customer", "purpose", "said", "good until", "region")
    for each in due:
        table.add_row(each.customer_id, each.purpose, short_time(each.said_at), short_time(each.ends), each.region)
    Console().print(table)
