"""Commands for who sends events, and the keys by which they are known."""

from typing import Annotated

import typer

from millpond.cli import app
from millpond.cli.opened import opened

sources = typer.Typer(no_args_is_help=True, help="Who sends events by the tracking API, and their write keys.")
app.add_typer(sources, name="source")

Name = Annotated[str, typer.Argument(show_default=False, help="What people call it.")]
SourceNumber = Annotated[int, typer.Argument(metavar="SOURCE", show_default=False, help="The source's number.")]
Key = Annotated[int, typer.Argument(show_default=False, help="The key's number, from the list.")]
Kind = Annotated[str, typer.Option(help="web, app, server, pos or store. Keys of web and app are public.")]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", help="identify or orders, besides events; again for more.")
]
Origins = Annotated[list[str] | None, typer.Option("--origin", help="A page that may send; again for more.")]


@sources.command("add")
def add(name: Name, kind: Kind = "server", scope: Scopes = None, origin: Origins = None) -> None:
    """Register a source and print its first write key, which is told once."""
    from events.nouns import Scope, SourceKind
    from events.sources import issue_key, register_source
    from millpond.kernel.errors import InvalidInput

    try:
        known, scopes = SourceKind(kind), [Scope(each) for each in scope or ()]
    except ValueError as error:
        raise InvalidInput(f"{error}: kinds are {', '.join(SourceKind)}, scopes are {', '.join(Scope)}") from error
    with opened() as (_, conn, at), conn.transaction():
        source = register_source(conn, name=name, kind=known, scopes=scopes, origins=origin or (), at=at)
        key = issue_key(conn, source.source_id, at=at)
    typer.echo(f"source {source.source_id} {source.name}: key {key.key_id}")
    typer.echo(f"write key {key.write_key}")


@sources.command("key")
def add_key(source: SourceNumber) -> None:
    """Issue one more write key and print it; those before stay good until you end them."""
    from events.nouns import SourceId
    from events.sources import issue_key

    with opened() as (_, conn, at), conn.transaction():
        key = issue_key(conn, SourceId(source), at=at)
    typer.echo(f"source {source}: key {key.key_id}")
    typer.echo(f"write key {key.write_key}")


@sources.command("end-key")
def end(source: SourceNumber, key: Key) -> None:
    """End a key: whoever still sends with it is refused from now on."""
    from events.nouns import SourceId
    from events.sources import end_key

    with opened() as (_, conn, at), conn.transaction():
        end_key(conn, SourceId(source), key, at=at)
    typer.echo(f"source {source}: key {key} ended")


@sources.command("list")
def list_sources() -> None:
    """All sources with their keys, and what came from each in the last 24 hours."""
    from rich.console import Console

    from api.told.sources import show_sources
    from millpond.cli.tables import make_table, short_time

    with opened() as (_, conn, at):
        shown = show_sources(conn, at)
    table = make_table("source", "name", "kind", "scopes", "keys in force", "taken", "again", "refused", "newest event")
    for one in shown:
        day, keys = one.last_24_h, [f"{key.key_id} …{key.hint}" for key in one.keys if key.ended_at is None]
        refused = ", ".join(f"{reason} {calls:,}" for reason, calls in day.refused.items()) or "0"
        newest = short_time(day.latest_at) if day.latest_at else "–"
        counts = [f"{day.taken:,}", f"{day.repeated:,}", refused, newest]
        table.add_row(str(one.source_id), one.name, one.kind, ", ".join(one.scopes), "\n".join(keys), *counts)
    Console().print(table)
