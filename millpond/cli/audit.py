"""`millpond audit`: who saw or changed what of a person, and whether the log of it is whole."""

import json as jsonlib
from typing import Annotated

import typer
from rich.console import Console

from millpond.cli import app
from millpond.cli.opened import opened
from millpond.cli.progress import CountedProgress
from millpond.cli.tables import make_table, short_time
from millpond.kernel.errors import MillpondError

audit = typer.Typer(no_args_is_help=True, help="Who saw or changed what of a person.")
app.add_typer(audit, name="audit")


class NotWhole(MillpondError):
    """The audit log was changed: one sentence, exit 1."""


@audit.command()
def verify(
    head: Annotated[str | None, typer.Option(help="NUMBER:DIGEST, as `head` printed it before.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Walk the whole chain; exit 1 with the first entry that was changed, taken out, put elsewhere or cut off."""
    from customers.audit.chain import read_noted, verify_chain

    noted = read_noted(head) if head is not None else None
    with opened() as (_, conn, _at), CountedProgress("audit entries") as advance:
        verified = verify_chain(conn, noted, on_progress=advance)
    fault = verified.fault
    if json:
        found = {"number": fault.number, "wrong": fault.wrong, "sentence": fault.sentence} if fault else None
        typer.echo(jsonlib.dumps({"entries": verified.entries, "head": str(verified.head), "fault": found}))
    elif fault is None:
        typer.echo(f"{verified.entries:,} entries, one chain; its head is {verified.head}")
    if fault is not None:
        raise NotWhole(fault.sentence)


@audit.command("head")
def head_() -> None:
    """Print the newest entry's number and digest: note it elsewhere, and hold the log against it later."""
    from customers.audit.chain import select_noted

    with opened() as (_, conn, _at):
        typer.echo(str(select_noted(conn)))


@audit.command("list")
def list_(
    customer: Annotated[str | None, typer.Option(help="Only about this customer's id.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by this one, like operator:kim.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most entries, newest first.")] = 50,
) -> None:
    """What was seen and changed, newest first."""
    from customers.audit.entries import select_entries

    with opened() as (_, conn, _at):
        about = None if customer is None else [customer]
        entries = select_entries(conn, customer_ids=about, actor=actor, limit=limit)
    table = make_table("number", "at", "actor", "action", "customer", "because", "call")
    for one in entries:
        words = (one.actor, one.action, one.customer_id or "–", one.because, str(one.detail.get("call", "")))
        table.add_row(str(one.number), short_time(one.at), *words)
    if entries:
        Console(markup=False, emoji=False).print(table)
    typer.echo(f"{len(entries):,} entries")
