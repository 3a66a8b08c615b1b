"""Commands for devices that speak and are not registered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from millpond.cli import app
from millpond.cli.jobs import parse_at
from millpond.cli.opened import opened
from millpond.cli.tables import make_table, short_time

if TYPE_CHECKING:
    from ingest.lobby.admission import Admitted
    from ingest.lobby.nouns import Guess, Unknown

lobby = typer.Typer(no_args_is_help=True, help="See who speaks and is not registered, and let them in.")
rules = typer.Typer(no_args_is_help=True, help="Say in advance what those are who will speak.")
app.add_typer(lobby, name="lobby")
lobby.add_typer(rules, name="rules")

Who = Annotated[str, typer.Argument(metavar="WHO", show_default=False, help="Its id, or what it is called.")]
_BY = "operator:command"


@lobby.command("list")
def list_(
    search: Annotated[str, typer.Argument(help="Only those in whose name this stands.")] = "",
    refused: Annotated[bool, typer.Option("--refused", help="Those that were refused.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most that are shown, those heard of last first.")] = 50,
) -> None:
    """Who speaks and is not registered, what waits of each, and which model it may be."""
    from ingest.lobby.guess import guess_model
    from ingest.lobby.nouns import LobbyState
    from ingest.lobby.store import count_lobby, select_lobby
    from ingest.storing.terms import Terms

    with opened() as (settings, conn, _at):
        state = LobbyState.REFUSED if refused else LobbyState.WAITING
        found = select_lobby(conn, state=state, search=search, limit=limit)
        terms = Terms.from_settings(settings)
        rows = [(one, guess_model(conn, one, terms, messages=1)) for one in found]
        counted = count_lobby(conn)
    if rows:
        Console().print(_table(rows))
    typer.echo(
        f"{counted.waiting:,} wait, {counted.refused:,} are refused; {counted.messages:,} messages are kept"
        f" ({counted.bytes:,} bytes)"
    )


def _table(rows: "Sequence[tuple[Unknown, list[Guess]]]") -> Table:
    table = make_table("id", "format", "called", "messages", "dropped", "last heard of", "may be a")
    for one, guesses in rows:
        heard = short_time(one.last_heard_at)
        cells = (one.lobby_id, one.format, one.identity, f"{one.messages:,}", f"{one.dropped:,}", heard)
        table.add_row(*cells, one.trouble or (guesses[0].model if guesses else ""))
    return table


@lobby.command()
def wait(
    search: Annotated[str, typer.Argument(help="Only for one in whose name this stands.")] = "",
    messages: Annotated[int, typer.Option(min=1, help="Until so many of its messages wait.")] = 1,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0, help="Seconds after which to give up.")] = 300,
) -> None:
    """Wait until a device speaks that nobody registered: plug it in meanwhile."""
    from ingest.lobby.store import select_lobby
    from millpond.kernel.waiting import wait_until

    with opened() as (_, conn, _at):
        wait_until(
            lambda: any(one.messages >= messages for one in select_lobby(conn, search=search)),
            "a device that is not registered to speak: does ingest run, and does the device reach the broker?",
            timeout_s=timeout_s,
            every_s=0.2,
        )
        found = select_lobby(conn, search=search)
    for one in found:
        typer.echo(f"{one.identity} speaks {one.format}: {one.messages:,} messages wait")


@lobby.command()
def show(who: Who) -> None:
    """One of them: when it was heard of, its newest messages, and which models could read them."""
    from ingest.lobby.admission import require_unknown, suggest_serial
    from ingest.lobby.guess import guess_model
    from ingest.lobby.store import select_newest_waiting
    from ingest.storing.terms import Terms

    with opened() as (settings, conn, _at):
        one = require_unknown(conn, who)
        guesses = guess_model(conn, one, Terms.from_settings(settings))
        newest = select_newest_waiting(conn, one.name, 3)
    typer.echo(f"{one.lobby_id}  {one.identity} in {one.format}, {one.state}")
    typer.echo(f"heard of from {one.first_heard_at.isoformat()} to {one.last_heard_at.isoformat()}")
    typer.echo(f"{one.messages:,} messages wait ({one.bytes:,} bytes), {one.dropped:,} were dropped")
    if one.said_model or one.other_names:
        typer.echo(
            f"says it is {one.said_model or 'nothing'}; is called {', '.join(one.other_names) or 'nothing else'}"
        )
    for message in newest:
        typer.echo(f"  {message.received_at.isoformat()}  {message.topic}")
        typer.echo(f"    {message.payload[:400].decode('utf-8', 'replace')}")
    for guess in guesses:
        typer.echo(f"may be a {guess.model}: {guess.readings} values are read, {guess.refused} refused")
    if one.trouble:
        typer.echo(f"a rule could not admit it: {one.trouble}")
    model = guesses[0].model if guesses else "MODEL"
    serial = "" if one.by_serial else f" --serial {suggest_serial(one)}"
    typer.echo(f"when you have looked at the device: millpond lobby admit {one.lobby_id} --model {model}{serial}")


@lobby.command()
def admit(
    who: Who,
    model: Annotated[str, typer.Option(help="Its model, as you see it on the device.", show_default=False)],
    serial: Annotated[
        str | None, typer.Option(help="Its serial, where its format has names of its own; may be registered already.")
    ] = None,
    region: Annotated[str, typer.Option(help="The climate region where it stands.")] = "",
    customer: Annotated[str | None, typer.Option(help="Whose it is: your own key, created when new.")] = None,
    installed_at: Annotated[
        str | None, typer.Option(help="Since when it is in use, RFC 3339 or a date; else since it was heard of.")
    ] = None,
) -> None:
    """Register it, and store what waited as if it had just come, with the times at which it came."""
    from customers.accounts import find_or_register_customer
    from ingest.lobby.admission import As, admit_unknown
    from ingest.storing.terms import Terms

    with opened() as (settings, conn, at):
        since = None if installed_at is None else parse_at(installed_at, at, "--installed-at")
        with conn.transaction():
            owner = find_or_register_customer(conn, customer, at=at).customer_id if customer else None
            admitted = admit_unknown(
                conn, who, As(model, serial, region, owner, since), Terms.from_settings(settings), at=at, by=_BY
            )
    typer.echo(_sentence(admitted))


def _sentence(admitted: "Admitted") -> str:
    device, stored, tally = admitted.device, admitted.stored, admitted.stored.tally
    values = f"{tally.stored:,} values, {tally.duplicate:,} duplicates, {tally.quarantined:,} in quarantine"
    rest = f"; {admitted.waiting:,} more are stored soon, while ingest runs" if admitted.waiting else ""
    return f"{device.serial} is a {device.model} now; stored of {stored.messages:,} messages: {values}{rest}"


@lobby.command()
def refuse(who: Who) -> None:
    """Keep nothing more of it; it is counted still, and may be admitted later."""
    from ingest.lobby.admission import refuse_unknown

    with opened() as (_, conn, at), conn.transaction():
        one = refuse_unknown(conn, who, at=at, by=_BY)
    typer.echo(f"{one.name} is refused: what it sends is dropped and counted")


@lobby.command()
def forget(who: Who) -> None:
    """Delete it and what waited of it; if it speaks again, it waits anew."""
    from ingest.lobby.admission import forget_unknown

    with opened() as (_, conn, _at), conn.transaction():
        one = forget_unknown(conn, who)
    typer.echo(f"{one.name} and {one.messages:,} messages of it are deleted")


@rules.command("list")
def list_rules() -> None:
    """The rules by which some are admitted without a look."""
    from ingest.lobby.store import select_rules

    with opened() as (_, conn, _at):
        found = select_rules(conn)
    table = make_table("id", "format", "called", "is a", "region", "made by")
    for rule in found:
        table.add_row(rule.rule_id, rule.format, rule.pattern, rule.model, rule.region, rule.made_by)
    if found:
        Console().print(table)
    typer.echo(f"{len(found):,} rules")


@rules.command()
def add(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="As `lobby list` shows it.", show_default=False)],
    pattern: Annotated[str, typer.Argument(help="What it is called; * is any characters, ? one.", show_default=False)],
    model: Annotated[str, typer.Option(help="What it is then.", show_default=False)],
    region: Annotated[str, typer.Option(help="The climate region where it stands.")] = "",
) -> None:
    """Admit whoever is called so: those who wait, and those who come."""
    from ingest.formats.shipped import language_named
    from ingest.lobby.admission import make_rule

    with opened() as (settings, conn, at), conn.transaction():
        format_name = language_named(settings, format_name)
        rule = make_rule(conn, format_name=format_name, pattern=pattern, model=model, region=region, at=at, by=_BY)
    typer.echo(f"{rule.rule_id}: {format_name} {pattern} is a {model}; ingest admits who is called so")


@rules.command()
def remove(
    rule_id: Annotated[
        str, typer.Argument(metavar="ID", show_default=False, help="The rule's id, as `list` shows it.")
    ],
) -> None:
    """Admit nobody by this rule any more; who was admitted stays."""
    from ingest.lobby.admission import end_rule

    with opened() as (_, conn, _at), conn.transaction():
        end_rule(conn, rule_id)
    typer.echo(f"{rule_id} is removed")
